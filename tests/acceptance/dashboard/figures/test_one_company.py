"""The pages of companies and users: each figure equals a recount, for a sample of the demo data."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from tests.support.dashboard.demo_figures import ZONE, Demo
from tests.support.dashboard.elements import number, only, select, text, texts

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]  # generating takes a minute

SAMPLE = 20
STATUSES = ["Healthy", "At Risk", "Critical"]


def sample(demo: Demo) -> list[dict[str, Any]]:
    """Return companies of every status, with and without outcomes, those with most flags first."""
    return demo.rows(
        """
        select c.*, s.score, coalesce(flags, 0) as flags from customers c
        join scores s on s.organization_id = c.organization_id and s.company_id = c.id
        left join (select company_id, count(*) as flags from raised
            where organization_id = %(id)s group by 1) r on r.company_id = c.id
        where c.organization_id = %(id)s
        order by row_number() over (partition by c.status order by flags desc nulls last, c.id)
        limit %(sample)s
        """,
        sample=SAMPLE,
    )


def address(company: dict[str, Any], part: str = "") -> str:
    return f"/companies/{company['external_id']}{part}"


def facts(page: Element) -> dict[str, str]:
    """Return the key facts by their titles."""
    listed = only(page, "dl", "key-facts")
    return {text(item.find("dt")): text(item.find("dd")) for item in listed.findall("div")}


def every_row(demo: Demo, path: str, tag: str, class_: str) -> Iterator[Element]:
    """Yield the elements of a list over all of its pages."""
    while path:
        page = demo.page(path)
        yield from select(page, tag, class_)
        following = select(page, "a", rel="next")
        path = following[0].get("href", "") if following else ""


def test_the_facts_the_flags_and_the_score(demo: Demo) -> None:
    companies = sample(demo)
    assert {company["status"] for company in companies} == set(STATUSES)
    for company in companies:
        for part in ("", "/report"):
            page = demo.page(address(company, part))
            shown = facts(page)
            assert number(shown["Value"]) == company["value"]
            assert shown["Owner"] == company["owner"]
            assert number(shown["Score"]) == company["score"]
            days = (company["renews_on"] - date(2026, 5, 20)).days
            within = {0: "today"}.get(days, f"in {days} day" if days > 0 else f"{-days} day")
            assert within in shown["Renewal"]
            total = demo.value(
                "select count(*) from flag_states where organization_id = %(id)s"
                " and company_id = %(company)s",
                company=company["id"],
            )
            heads = [text(head) for head in select(page, "h2") if text(head).startswith("Flags")]
            assert heads in (
                [f"Flags {company['flags']} of {total} raised"],
                [] if company["flags"] else heads,
            )
            if not part:
                assert len(select(page, "details", "flag")) == total


WEEKS = """
    select date_trunc('week', occurred_at at time zone %(zone)s)::date, count(*) from events
    where organization_id = %(id)s and {of} group by 1
"""


def weeks_of(page: Element) -> dict[str, Decimal]:
    """Return the events by week as the table has them."""
    [table] = [t for t in select(page, "table") if text(t[0]) == "Events by week"]
    return {day: number(count) for day, count in texts(table)}


def written(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def expected_weeks(demo: Demo, of: str, weeks: int, value: int) -> dict[str, int]:
    counts = demo.pairs(WEEKS.format(of=of), zone=ZONE, value=value)
    mondays = [date(2026, 5, 18) - timedelta(weeks=n) for n in range(weeks)]
    return {written(monday): counts.get(monday, 0) for monday in mondays}


@pytest.mark.parametrize("days", [30, 90, 365])
def test_the_events_by_week_and_the_changes_in_a_span(demo: Demo, days: int) -> None:
    for company in sample(demo)[:8]:
        page = demo.page(address(company, f"?span={days}"))
        shown = weeks_of(page)
        assert shown == expected_weeks(demo, "company_id = %(value)s", len(shown), company["id"])
        tables = [t for t in select(page, "table") if text(t[0]).startswith("Score and status")]
        count = demo.value(
            "select count(*) from transitions where organization_id = %(id)s"
            " and company_id = %(company)s and at > %(now)s - %(days)s * interval '1 day'",
            company=company["id"],
            days=days,
        )
        assert len(texts(tables[0])) == count + 1  # and what it was at the beginning


def test_the_changes_of_status_in_the_report(demo: Demo) -> None:
    seen = set()
    for company in sample(demo):
        changes = demo.value(
            "select count(*) from transitions where organization_id = %(id)s"
            " and company_id = %(company)s and from_status <> to_status"
            " and at > %(now)s - interval '90 days'",
            company=company["id"],
        )
        words = {0: "Its status did not change", 1: "Its status changed once"}
        shown = text(only(demo.page(address(company, "/report")), "div", "report"))
        assert words.get(changes, f"Its status changed {changes} times") in shown
        seen.add(changes)
    assert len(seen) > 2


def test_the_tabs_list_what_there_is(demo: Demo) -> None:
    company = max(sample(demo), key=lambda company: company["value"])
    counts = {
        "users": "select count(distinct user_id) from events where organization_id = %(id)s"
        " and company_id = %(company)s",
        "fields": "select count(*) + 1 from (select jsonb_object_keys(traits) from customers"
        " where organization_id = %(id)s and id = %(company)s"
        " union all select unnest(array[crm_provider, crm_provider_id, payment_provider,"
        " payment_provider_id]) from companies where organization_id = %(id)s"
        " and id = %(company)s) field",
        "deliveries": "select count(*) from deliveries d join transitions t"
        " on t.organization_id = %(id)s and t.id = d.transition_id"
        " where d.organization_id = %(id)s and t.company_id = %(company)s",
        "outcomes": "select count(*) from outcomes where organization_id = %(id)s"
        " and company_id = %(company)s",
    }
    expected = {tab: demo.value(sql, company=company["id"]) for tab, sql in counts.items()}
    users = demo.page(address(company, "/users"))
    assert text(select(users, "h2")[0]) == f"Users {expected['users']}"
    assert listed(users) == min(expected["users"], 50)
    assert listed(demo.page(address(company, "/fields"))) == expected["fields"]
    assert listed(demo.page(address(company, "/deliveries"))) == min(expected["deliveries"], 50)
    assert listed(demo.page(address(company, "/outcomes"))) == expected["outcomes"]


def test_the_newest_outcomes(demo: Demo) -> None:
    sampled = sample(demo)
    assert {bool(company["left_on"]) for company in sampled} == {True, False}
    for company in sampled:
        expected = demo.tuples(
            "select initcap(kind), amount, day from outcomes where organization_id = %(id)s"
            " and company_id = %(company)s order by day desc, id desc limit 3",
            company=company["id"],
        )
        shown = [
            (
                text(only(row, "span", "badge")),
                number(text(only(row, "span", "worth"))),
                text(only(row, "span", "at")),
            )
            for row in select(demo.page(address(company)), "li", "outcome-row")
        ]
        assert shown == [(kind, n, f"{day.day} {day:%b %Y}") for kind, n, day in expected]


def listed(page: Element) -> int:
    """Return the rows of the first table of a page, without the one that leads to more."""
    tables = select(page, "table")
    return sum(row.get("class") != "more" for row in select(tables[0], "tr")[1:]) if tables else 0


def test_the_timeline_has_every_event_and_change(demo: Demo) -> None:
    [company] = demo.rows(
        "select external_id, company_id as id from events e join customers c"
        " on c.organization_id = %(id)s and c.id = e.company_id where e.organization_id = %(id)s"
        " group by 1, 2 order by count(*) limit 1"
    )
    for kind, class_, table in (
        ("events", "event", "events"),
        ("changes", "change", "transitions"),
    ):
        shown = sum(
            1 for _ in every_row(demo, address(company, f"/timeline?kind={kind}"), "li", class_)
        )
        assert shown == demo.value(
            f"select count(*) from {table} where organization_id = %(id)s"
            " and company_id = %(company)s",
            company=company["id"],
        )


def test_a_user_has_the_events_of_their_weeks(demo: Demo) -> None:
    users = demo.rows(
        "select id, external_id, (select count(*) from events e where e.organization_id = %(id)s"
        " and e.user_id = users.id) as events from users where organization_id = %(id)s"
        " order by events desc, id limit 3"
    )
    for user in users:
        page = demo.page(f"/users/{user['external_id']}")
        shown = weeks_of(page)
        assert shown == expected_weeks(demo, "user_id = %(value)s", len(shown), user["id"])
    user = users[-1]
    path = f"/users/{user['external_id']}"
    assert sum(1 for _ in every_row(demo, path, "li", "event")) == user["events"]


WINDOWS = {
    "Creates reports": ("report_created", ""),
    "Support storm": ("support_ticket_opened", "and data ->> 'severity' in ('high', 'urgent')"),
}


def events_in(demo: Demo, company: int, key: str, days: int, more: str = "") -> int:
    counted: int = demo.value(
        "select count(*) from events where organization_id = %(id)s and company_id = %(company)s"
        f" and event_key = %(key)s and occurred_at > %(now)s - %(days)s * interval '1 day' {more}",
        company=company,
        key=key,
        days=days,
    )
    return counted


def days_since(demo: Demo, company: int, key: str) -> int:
    days: int = demo.value(
        "select floor(extract(epoch from %(now)s - max(occurred_at)) / 86400)::integer from events"
        " where organization_id = %(id)s and company_id = %(company)s and event_key = %(key)s",
        company=company,
        key=key,
    )
    return days


def check_reason(demo: Demo, company: dict[str, Any], flag: str, reason: str) -> None:
    """Compare the numbers of a reason with a recount."""
    numbers = [int(n) for n in re.findall(r"\d+", reason)]
    id_, traits = company["id"], company["traits"]
    if flag in WINDOWS and reason.startswith("no "):
        assert numbers == [days_since(demo, id_, WINDOWS[flag][0])]
    elif flag in WINDOWS:
        key, more = WINDOWS[flag]
        assert numbers[0] == events_in(demo, id_, key, numbers[1], more)
    elif flag == "Gone quiet":
        assert numbers == [days_since(demo, id_, "signed_in")]
    elif flag == "Payment":
        assert numbers in ([days_since(demo, id_, "invoice_paid")], [0])
    elif flag == "Usage drop":
        now = events_in(demo, id_, "report_created", 30)
        assert numbers == [events_in(demo, id_, "report_created", 60) - now, now]
    elif flag == "Satisfaction":
        assert numbers == [traits["nps"]]
    elif flag == "Renewal in danger":
        assert numbers == [(company["renews_on"] - date(2026, 5, 20)).days]
    else:
        assert flag == "Seats in use"
        active = demo.value(
            "select count(distinct user_id) from events where organization_id = %(id)s"
            " and company_id = %(company)s and event_key = 'signed_in'"
            " and occurred_at > %(now)s - interval '30 days'",
            company=id_,
        )
        assert numbers == [active, traits["seats"]]


def test_the_numbers_in_the_reasons_of_raised_flags(demo: Demo) -> None:
    companies = {
        c["external_id"]: c
        for c in demo.rows("select * from customers where organization_id = %(id)s")
    }
    path, seen = "/companies?not.status=Healthy", set()
    while path:
        page = demo.page(path)
        for row in select(only(page, "table", "companies"), "tr")[1:]:
            company = companies[text(only(row, "bdi", "id"))]
            for chip in select(row, "bdi", "reason"):
                flag = chip.get("title", "").split(":")[0]
                check_reason(demo, company, flag, chip.text or "")
                seen.add(flag)
        following = select(page, "a", rel="next")
        path = following[0].get("href", "") if following else ""
    assert len(seen) == 8
