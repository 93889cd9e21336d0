"""Events, Rules and Settings: each figure equals a recount of the demo data and what was added."""

import re
from collections import Counter
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest

from config.files import DEMO_DATA_RULES
from models.database import transaction
from models.events import rejected_events, waiting_records
from models.events.waiting_records import NewWaitingRecord
from models.keys import api_keys
from models.keys.scopes import Scope
from queues.refused.requests import Refusal, RefusedRequests
from tests.support.dashboard.demo_figures import AT, Demo
from tests.support.dashboard.elements import number, only, parse, rows, select, text, texts

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]  # generating takes a minute

REFUSED = {"report_shared": 31, "reprot_created": 40}
SET_ASIDE = {"co_10035": 30, "co_10036": 25}
WAITING = {"usr_a": 3, "usr_b": 1}
KEYS = ("shop", "reports", "old")


@pytest.fixture(scope="module")
def arrived(demo_figures: Demo) -> Demo:
    """The demo data, and what applications sent that is not stored, and the keys that they have."""
    demo = demo_figures
    keys = Counter(REFUSED).elements()
    refusals = [
        Refusal(
            AT - timedelta(minutes=n), "brazebee", "/v1/track", 404, "unknown event key", (), b"{}",
            None, None, event_key=key,
        )
        for n, key in enumerate(keys)
    ]  # fmt: skip
    RefusedRequests(demo.broker.client).note(demo.id, refusals, AT)
    with transaction():
        for n, company in enumerate(Counter(SET_ASIDE).elements()):
            rejected_events.add(
                demo.id, [], "no text", journal_id=f"0-{n}", company=company, event_id=f"e{n}"
            )
        waiting_records.add(
            demo.id,
            [
                NewWaitingRecord(user, "signed_in", f"w{n}", AT, AT, [])
                for n, user in enumerate(Counter(WAITING).elements())
            ],
        )
        for name in KEYS:
            api_keys.create(demo.id, name, [Scope.SEND])
        [old] = [key for key in api_keys.list_for_organization(demo.id) if key.name == "old"]
        api_keys.revoke(demo.id, old.id)
    return demo


def listed(demo: Demo, path: str) -> int:
    """Return the rows of a list over all of its pages."""
    found = 0
    while path:
        page = demo.page(path)
        found += sum(len(rows(table)) for table in select(page, "table")[:1])
        following = select(page, "a", rel="next")
        path = following[0].get("href", "") if following else ""
    return found


def heading(demo: Demo, path: str) -> int:
    """Return the number in the heading of a page."""
    return int(number(text(only(only(demo.page(path), "h1"), "span"))))


def test_how_often_each_event_is_sent(demo: Demo) -> None:
    [table] = [t for t in select(demo.page("/events"), "table") if "Configured" in text(t[0])]
    columns = ("24 hours", "7 days", "30 days")
    for cells in rows(table):
        key = text(only(cells[0], "code"))
        expected = [
            demo.value(
                "select count(*) from events where organization_id = %(id)s and event_key = %(key)s"
                " and occurred_at >= date_trunc('hour', %(now)s - %(ago)s::interval)",
                key=key,
                ago=ago,
            )
            for ago in columns
        ]
        assert [number(text(cell)) for cell in cells[3:6]] == expected, key
    assert heading(demo, "/events") == len(rows(table))


def test_live_lists_the_newest_events(demo: Demo) -> None:
    shown = [row[-1] for row in texts(only(demo.page("/events/live"), "table"))]
    assert len(shown) >= 20
    assert shown == [
        event
        for (event,) in demo.tuples(
            "select event_id from events where organization_id = %(id)s"
            " order by occurred_at desc limit %(most)s",
            most=len(shown),
        )
    ]


def test_keys_that_are_not_configured_are_counted(demo: Demo, arrived: Demo) -> None:
    captions = {text(table[0]): table for table in select(arrived.page("/events"), "table")}
    unknown = captions["Keys that are sent but not configured"]
    assert {key: number(times) for key, times, *_ in texts(unknown)} == REFUSED
    waiting = captions["Users without a known company"]
    assert {user: number(records) for user, records, *_ in texts(waiting)} == demo.pairs(
        "select user_external_id, count(*) from waiting_records where organization_id = %(id)s"
        " group by 1"
    )
    total = [h for h in select(arrived.page("/events"), "h2") if "Waiting" in text(h)]
    assert text(total[0]).endswith(f" {sum(WAITING.values())}")


@pytest.mark.usefixtures("demo")
def test_what_was_refused_and_what_is_set_aside(arrived: Demo) -> None:
    assert heading(arrived, "/events/refused") == sum(REFUSED.values())
    assert listed(arrived, "/events/refused") == sum(REFUSED.values())
    for key, times in REFUSED.items():
        assert listed(arrived, f"/events/refused?event={key}") == times
    expected = arrived.pairs(
        "select company, count(*) from rejected_events where organization_id = %(id)s group by 1"
    )
    assert expected == SET_ASIDE
    assert heading(arrived, "/events/set-aside") == sum(expected.values())
    assert listed(arrived, "/events/set-aside") == sum(expected.values())
    for company, times in expected.items():
        assert listed(arrived, f"/events/set-aside?company={company}") == times
    for path in ("/", "/events"):
        assert f"{sum(expected.values())} accepted events could not" in text(arrived.page(path))


@pytest.mark.usefixtures("demo")
def test_keys_people_and_the_audit_log_are_listed_each_once(arrived: Demo) -> None:
    page = arrived.page("/settings/developers")
    active, revoked = select(page, "table")
    assert [row[0] for row in texts(active)] == [*KEYS[:2]]
    assert [row[0] for row in texts(revoked)] == ["old"]
    assert "Revoked keys (1)" in [text(summary) for summary in select(page, "summary")]
    assert [number(text(figure).split()[0]) for figure in select(page, "p", "figure")] == [0, 0]
    for path, table in (("/settings/people", "memberships"), ("/settings/audit", "audit_log")):
        assert listed(arrived, path) == arrived.value(
            f"select count(*) from {table} where organization_id = %(id)s"
        )


def test_the_deliveries_and_their_attempts(demo: Demo) -> None:
    states = demo.pairs(
        "select state, count(*) from deliveries where organization_id = %(id)s group by 1"
    )
    assert len(states) > 1
    for state, expected in states.items():
        assert listed(demo, f"/settings/developers/deliveries?state={state}") == expected
    endpoints = demo.pairs(
        "select endpoint_id, count(*) from deliveries where organization_id = %(id)s group by 1"
    )
    assert listed(demo, "/settings/developers/webhooks") == len(endpoints)
    for endpoint, expected in endpoints.items():
        assert listed(demo, f"/settings/developers/deliveries?webhook={endpoint}") == expected
    most = demo.rows(
        "select delivery_id, count(*) as attempts from delivery_attempts"
        " where organization_id = %(id)s group by 1 order by 2 desc, 1 limit 3"
    )
    for delivery in most:
        page = demo.page(f"/settings/developers/deliveries/{delivery['delivery_id']}")
        assert sum(len(rows(table)) for table in select(page, "table")) == delivery["attempts"]
    [company] = demo.tuples(
        "select c.external_id, count(*) from deliveries d join transitions t"
        " on t.organization_id = %(id)s and t.id = d.transition_id join companies c"
        " on c.organization_id = %(id)s and c.id = t.company_id where d.organization_id = %(id)s"
        " group by 1 order by 2 desc, 1 limit 1"
    )
    path = f"/settings/developers/deliveries?company={company[0]}"
    assert listed(demo, path) == company[1]


def test_messages_have_as_many_changes_as_they_are_about(demo: Demo) -> None:
    expected = demo.pairs(
        "select id::text, (select count(*) from notification_changes c"
        " where c.organization_id = m.organization_id and c.message_id = m.id)"
        " from notification_messages m where organization_id = %(id)s"
    )
    assert expected
    path, shown = "/settings/notifications", {}
    while path:
        page = demo.page(path)
        for item in only(page, "ul", "sent-messages").findall("li"):
            [changes] = re.findall(r"([\d,]+) changes?", text(select(item, "span", "block")[0]))
            shown[item.find(".//a").get("href", "").rsplit("/", 1)[1]] = number(changes)
        following = select(page, "a", rel="next")
        path = following[0].get("href", "") if following else ""
    assert shown == expected
    most = max(expected, key=lambda message: expected[message])
    page = demo.page(f"/settings/notifications/messages/{most}")
    lines = len(only(page, "ul", "message-lines").findall("li"))
    others = re.findall(r"and ([\d,]+) others?", text(page))
    assert lines + sum(int(number(n)) for n in others) == expected[most]


def test_a_plan_counts_the_companies_that_would_change(demo: Demo) -> None:
    """With another threshold for the field `nps`, a recount needs no evaluation."""
    source = DEMO_DATA_RULES.read_text(encoding="utf-8")
    draft = source.replace("company.nps below 6", "company.nps below 8")
    assert draft != source
    demo.text("/rules")
    answer = demo.browser.post("/o/demo/rules/plan", text=draft, began_from=2)
    assert answer.status_code == 200
    page = parse(answer.text)
    changes = demo.tuples(
        """
        select before, after, count(*), sum(value), array_agg(name order by name) from (
            select name, value, status as before, case
                when renews_on between %(today)s and %(today)s + 45 then 'Critical'
                when status = 'Healthy' then 'At Risk' else status end as after
            from customers where organization_id = %(id)s
            and (traits ->> 'nps')::numeric in (6, 7)
        ) changed where before <> after group by 1, 2
        """,
        today=date(2026, 5, 20),
    )
    assert len(changes) > 1
    moving = sum(count for _, _, count, *_ in changes)
    total = demo.value("select count(*) from customers where organization_id = %(id)s")
    flags_alone = (
        demo.value(
            "select count(*) from customers where organization_id = %(id)s"
            " and (traits ->> 'nps')::numeric in (6, 7)"
        )
        - moving
    )
    summary = f"{moving} of {total} companies would change status: {moving} to worse, 0 to better"
    more = f", and {flags_alone} more would only change flags" if flags_alone else ""
    assert f"{summary}{more}." in text(page)
    section = only(page, "section", aria_label="Companies that would change status")
    shown = Counter[tuple[str, str]]()
    worth = Counter[tuple[str, str]]()
    for group in select(section, "details", "plan-group"):
        before, after = (text(badge) for badge in select(group[0], "span", "badge"))
        shown[before, after] += int(number(text(only(group[0], "strong"))))
        worth[before, after] += int(number(text(only(group[0], "span", title="Value"))))
    assert shown == {(before, after): count for before, after, count, *_ in changes}
    assert worth == {(before, after): value for before, after, _, value, _ in changes}


def test_the_versions_and_the_examples_of_rules(demo: Demo) -> None:
    assert listed(demo, "/rules/versions") == demo.value(
        "select count(*) from rule_versions where organization_id = %(id)s"
    )
    sent = {key for (key,) in demo.tuples("select distinct event_key from events")}
    for card in select(demo.page("/rules/examples"), "li", "door"):
        [(matched, of)] = re.findall(r"(\d+) of (\d+) events sent", text(card))
        choices = select(demo.page(only(card, "a").get("href", "")), "select")
        chosen = [
            option.get("value", "").removeprefix("sent.")
            for choice in choices
            for option in select(choice, "option")
            if option.get("selected") is not None
        ]
        assert int(of) == len(choices)
        assert int(matched) == sum(key in sent for key in chosen)


def test_the_search_finds_what_a_statement_finds(demo: Demo) -> None:
    for words in ("labs", "keystone"):
        page = demo.page(f"/search?{urlencode({'q': words})}")
        links = [a for a in select(page, "a") if "/demo/companies/" in a.get("href", "")]
        expected = demo.tuples(
            "select external_id from customers where organization_id = %(id)s"
            " and name ilike %(like)s",
            like=f"%{words}%",
        )
        found = {link.get("href", "").rsplit("/", 1)[1] for link in links}
        assert found
        assert found <= {id_ for (id_,) in expected}


def test_the_notes_that_mention_the_reader(demo: Demo) -> None:
    expected = demo.tuples(
        "select c.name, m.read_at is null from company_notes n"
        " join companies c on c.organization_id = n.organization_id and c.id = n.company_id"
        " join note_mentions m on m.organization_id = n.organization_id and m.note_id = n.id"
        " join people p on p.id = m.person_id and p.email = %(reader)s"
        " where n.organization_id = %(id)s and strpos(n.text, '@' || %(reader)s) > 0"
        " order by n.at desc"
    )
    unread = sum(is_unread for _, is_unread in expected)
    assert 0 < unread < len(expected)
    page = demo.page("/mentions")
    assert text(only(page, "a", "mentions-link")) == f"@Mentions {unread} unread"
    assert text(only(only(page, "nav", aria_label="Mentions"), "span", "count")) == str(unread)
    notes = list(only(page, "ol", "mentions"))
    assert [
        (text(select(note, "a")[0]), "unread" in note.get("class", "")) for note in notes
    ] == expected
