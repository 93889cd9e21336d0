"""The pages about one company: its health and the reasons, and its history."""

import html
import re
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from dashboard.pages.company import fields as company_fields
from models.companies import timeline
from models.companies.fields import field_history, field_limits
from models.database import execute, transaction
from models.health import transitions
from models.organizations import audit_log
from models.webhooks import webhook_endpoints
from rules.durations import MAX_WINDOW, shift
from services.health.explanation import explain
from services.rules.planned_changes import forecast
from tests.support.dashboard.application import NOW, Browser, Dashboard, text_of, without_isolation
from tests.support.dashboard.company_page import (
    RULES,
    add_history,
    address_of,
    ago,
    create_world,
    track,
)
from tests.support.dashboard.elements import fetched_by
from tests.support.world import World

PAGES = ("", "/timeline", "/users", "/fields", "/deliveries", "/notes")

HOSTILE = ('<script>alert("1")</script>', "a/b", "..", "100%", 'O\'Neil & "Sons"', "ü /?#")


@pytest.fixture
def world(dashboard: Dashboard) -> World:
    return create_world()


def viewer_of(dashboard: Dashboard, world: World) -> Browser:
    return dashboard.signed_in("vera@acme.com", (world.organization, "viewer"))


def editor_of(dashboard: Dashboard, world: World) -> Browser:
    return dashboard.signed_in("ed@acme.com", (world.organization, "editor"))


def test_status_score_and_flags_are_the_same_as_explain_returns(
    dashboard: Dashboard, world: World
) -> None:
    add_history(world)
    page = viewer_of(dashboard, world).get(address_of(world))
    text = text_of(page)
    with transaction():
        explained = explain(world.id, "c1", 1, NOW)
    assert explained is not None
    assert page.status_code == 200
    assert explained.status == "At Risk"
    assert f"Acme Corp {explained.status} since Sunday 10:30 : only 2 sign-ins in 7 days." in text
    assert f"Score {explained.score} " in text
    for flag in explained.flags:
        section = text.partition(f" {flag.flag} {flag.status} {flag.summary} ")[2]
        section = section.partition(", line ")[0]
        for fact in (flag.threshold, flag.evidence, flag.changed_by, flag.counts, flag.note):
            assert fact is None or fact in section
        if flag.changes_at:
            assert re.match(rf"{flag.changes_to} from [\w :]+ if nothing happens ", section)
            assert f"{flag.changes_to} in" in section
            at = flag.changes_at
            assert f"{at.day} {at:%b %Y, %H:%M} , if nothing happens" in section
        assert f"version 1, line {flag.line} " in text


def test_the_next_change_is_the_same_as_in_the_forecast(dashboard: Dashboard, world: World) -> None:
    add_history(world)
    text = text_of(viewer_of(dashboard, world).get(address_of(world)))
    with transaction():
        [changes] = forecast(world.id, [world.company("c1").id], 1, NOW, shift(NOW, MAX_WINDOW))
    coming = next(change for change in changes if change.before != change.after)
    assert f"If nothing happens: {coming.after} in " in text
    assert f"{coming.at:%b %Y, %H:%M} . {coming.flags[0].description}" in text


@pytest.mark.parametrize(("span", "days"), [("30", 30), ("90", 90), ("365", 365), ("x", 90)])
def test_the_table_below_the_chart_has_the_transitions_of_the_span(
    dashboard: Dashboard, world: World, span: str, days: int
) -> None:
    add_history(world)
    page = viewer_of(dashboard, world).get(address_of(world, f"?span={span}"))
    with transaction():
        history = transitions.list_for_company(world.id, world.company("c1").id)
    assert {transition.to_status for transition in history} == {"Healthy", "At Risk", "Critical"}
    within = [transition for transition in history if transition.at > NOW - timedelta(days=days)]
    table = without_isolation(page.text).partition("Show data")[2].partition("</table>")[0]
    rows = re.findall(r'<tr>\s*<td><time datetime="([^"]+)".*?number">([^<]*)<', table, re.DOTALL)
    expected = [
        (f"{transition.at:%Y-%m-%dT%H:%M:%SZ}", str(transition.score))
        for transition in within[::-1]
    ]
    assert rows[: len(expected)] == expected
    assert len(rows) == len(expected) + (days < 100)  # and the status before
    assert page.text.count('<svg class="chart') == 4
    assert "style=" not in page.text


def test_the_score_of_a_transition_is_recorded(world: World) -> None:
    add_history(world)
    company = world.company("c1")
    with transaction():
        history = transitions.list_for_company(world.id, company.id)
    assert history[-1].score == company.score
    assert [transition.score for transition in history] == [75, 100, 75, 25, 75]


def test_a_change_of_only_the_score_is_a_row_of_its_own(dashboard: Dashboard, world: World) -> None:
    add_history(world)
    with transaction():
        execute("update companies set judged_version = 1")
    world.apply_rules(RULES.replace("event: report", "event: report\n    weight: 3"), ago(hours=1))
    world.judge("c1")
    text = text_of(viewer_of(dashboard, world).get(address_of(world)))
    assert "Score 87" in text
    assert "Only the score changed: a flag started or stopped applying or counting" in text


def test_one_sentence_explains_the_score(dashboard: Dashboard, world: World) -> None:
    add_history(world)
    viewer = viewer_of(dashboard, world)
    text = text_of(viewer.get(address_of(world)))
    assert (
        "At Risk scores 50 to 99: the fewer of its flags are raised, by weight, the higher" in text
    )
    assert "Older scores" not in text
    with transaction():
        execute("update transitions set score = 50 where to_status = 'Critical'")
    assert "Older scores outside of these ranges" in text_of(viewer.get(address_of(world)))


def test_a_company_of_other_organizations_does_not_exist(
    dashboard: Dashboard, world: World
) -> None:
    add_history(world)
    other = dashboard.organization("other")
    stranger = dashboard.signed_in("sam@other.com", (other, "administrator"))
    for rest in PAGES:
        assert stranger.get(address_of(world, rest)).status_code == 404
        assert stranger.get(f"/o/other/companies/c1{rest}").status_code == 404
    for rest in ("/notes", "/notes/1", "/notes/1/delete", "/flags/Reports", "/flags/Reports/end"):
        assert stranger.post(address_of(world, rest)).status_code == 404
        assert stranger.post(f"/o/other/companies/c1{rest}", text="x").status_code in (404, 422)
    with transaction():
        assert {entry.action for entry in audit_log.read_page(other.id, limit=5)} == {"Signed in"}
        assert not audit_log.read_page(world.id, limit=5)


def test_visitors_are_redirected_to_sign_in(dashboard: Dashboard, world: World) -> None:
    add_history(world)
    for rest in PAGES:
        answer = dashboard.browser().get(address_of(world, rest))
        assert (answer.status_code, answer.location[:8]) == (303, "/sign-in")


@pytest.mark.parametrize("name", HOSTILE)
def test_any_ids_and_names_are_shown_unchanged(
    dashboard: Dashboard, world: World, name: str
) -> None:
    track(
        world,
        ago(days=1),
        company=name,
        user=name,
        data={name: name},
        crm_provider=name,
        crm_provider_id=name,
        **{"name": name, name: name},
    )
    world.judge(name)
    browser = editor_of(dashboard, world)
    for rest in PAGES:
        page = browser.get(address_of(world, rest, company=name))
        assert page.status_code == 200, (rest, page.request.path)
        assert "<script>alert" not in page.text
        links = re.findall(r'href="(/o/acme/companies/[^"]+)', page.text)
        assert len(links) >= len(PAGES)
        for link in set(links):
            assert browser.client.get(html.unescape(link)).status_code == 200, link
    added = browser.post(address_of(world, "/notes", company=name), text=name)
    assert browser.client.get(added.location).status_code == 200


def test_empty_pages_explain_what_to_do(dashboard: Dashboard) -> None:
    world = create_world(rules="version: 1\nevents: {login: }\nflags: []\n")
    track(world, ago(minutes=5))
    world.judge("c1")
    browser = viewer_of(dashboard, world)
    assert "The rules have no flags" in text_of(browser.get(address_of(world)))
    assert "No users yet" in text_of(browser.get(address_of(world, "/users")))
    assert "No deliveries yet" in text_of(browser.get(address_of(world, "/deliveries")))
    assert "No notes yet" in text_of(browser.get(address_of(world, "/notes")))
    assert browser.get(address_of(world, company="nobody")).status_code == 404
    assert browser.get(address_of(world, "%00")).status_code in (400, 404)


def test_recorded_health_is_shown_if_the_rules_cannot_be_read(
    dashboard: Dashboard, world: World
) -> None:
    add_history(world)
    browser = editor_of(dashboard, world)
    with transaction():
        execute("update rule_versions set source = 'version: 9'")
    page = browser.get(address_of(world))
    assert page.status_code == 200
    assert "The current rules cannot be read" in text_of(page)
    assert "At Risk" in text_of(page)
    for rest in PAGES[1:]:
        assert browser.get(address_of(world, rest)).status_code == 200
    assert browser.get(address_of(world, "/flags/Reports")).status_code == 503


def test_the_timeline_is_paged(dashboard: Dashboard, world: World) -> None:
    add_history(world)
    browser = viewer_of(dashboard, world)
    seen: list[str] = []
    address = address_of(world, "/timeline")
    pages = 0
    while address:
        page = browser.get(address, headers={"HX-Request": "true"} if pages else {})
        assert ("<html" in page.text) == (pages == 0)
        seen += re.findall(
            r'<li class="(?:event|change)".*?datetime="([^"]+)"', page.text, re.DOTALL
        )
        address = next(iter(fetched_by(page.text)), "")
        pages += 1
    with transaction():
        changes = transitions.list_for_company(world.id, world.company("c1").id)
    assert pages == 3
    assert len(seen) == 122 + len(changes)
    assert seen == sorted(seen, reverse=True)


def test_the_timeline_shows_one_kind_or_one_key(dashboard: Dashboard, world: World) -> None:
    add_history(world)
    track(world, ago(hours=3), key="report", user="u1", data={"amount": 12, "<b>": ["x"]})
    world.judge("c1")
    browser = viewer_of(dashboard, world)
    health = browser.get(address_of(world, "/timeline?kind=health")).text
    assert 'class="event"' not in health
    assert health.count('<li class="change"') == 5
    assert "because time passed" in health
    reports = browser.get(address_of(world, "/timeline?key=report")).text
    assert reports.count('<li class="event"') == 1
    assert 'class="change"' not in reports
    assert "Report created" in text_of(browser.get(address_of(world, "/timeline?key=report")))
    assert "&lt;b&gt;" in reports
    assert "by User u1" in text_of(browser.get(address_of(world, "/timeline?key=report")))
    for key in ("nothing", "a'b"):
        none = browser.get(address_of(world, f"/timeline?key={key}"))
        assert (none.status_code, "Nothing to show" in none.text) == (200, True)


@pytest.mark.parametrize("page", ["timeline", "users", "fields", "deliveries", "notes"])
def test_an_invalid_cursor_is_not_found(dashboard: Dashboard, world: World, page: str) -> None:
    add_history(world)
    browser = viewer_of(dashboard, world)
    assert browser.get(address_of(world, f"/{page}?after=nonsense")).status_code == 400


def test_users_are_listed_with_the_time_they_were_last_seen(
    dashboard: Dashboard, world: World
) -> None:
    add_history(world)
    for number in range(60):
        track(world, ago(days=40, minutes=number), user=f"more{number}")
    browser = viewer_of(dashboard, world)
    first = browser.get(address_of(world, "/users"))
    assert "Users 62" in text_of(first)
    assert text_of(first).index("User u2") < text_of(first).index("User more0")
    [following] = fetched_by(first.text)
    second = browser.get(following, headers={"HX-Request": "true"})
    assert second.text.count('<th scope="row"') == 12
    assert "autofocus" in second.text
    assert "Back to most recent" in browser.get(following).text


def test_fields_are_shown_with_the_time_of_their_value_and_their_history(
    dashboard: Dashboard, world: World
) -> None:
    add_history(world)
    browser = viewer_of(dashboard, world)
    text = text_of(browser.get(address_of(world, "/fields")))
    assert "plan Enterprise 2 days ago 1 day ago" in text
    assert "seats 5 3 months ago 1 month ago" in text, text
    page = text_of(browser.get(address_of(world, "/fields?field=plan")))
    history = page.partition("Changes of fields")[2]
    assert "History of plan" in page
    assert "18 Jan 2026, 10:30 plan Enterprise Pro" in history
    assert "seats 5" not in history


def test_fields_that_are_left_out_are_named(
    dashboard: Dashboard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(field_limits, "MOST_FIELDS", 1)
    user = {"user": "ann", "user_fields": {"one": 1, "two": 2}}
    world.track("c1", ago(days=2), name="Acme", plan="Pro", seats=5, **user)
    browser = viewer_of(dashboard, world)
    text = text_of(browser.get(address_of(world, "/fields")))
    assert "because there are too many: seats." in text
    assert "too many: two." in text_of(browser.get(address_of(world, "/users")))
    events = text_of(browser.get(f"/o/{world.name}/events"))
    left_out = events.partition("Fields that are left out")[2]
    assert "Acme 2 days ago seats" in left_out
    assert "Acme ann 2 days ago two" in left_out


def test_a_company_from_before_the_limit_shows_the_first_of_its_fields(
    dashboard: Dashboard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    track(world, ago(days=2), **{f"field_{n}": n for n in range(9)})
    monkeypatch.setattr(company_fields, "MOST_SHOWN", 4)
    text = text_of(viewer_of(dashboard, world).get(address_of(world, "/fields")))
    assert "The first 4 of 10, by name." in text
    assert "field_2" in text
    assert "field_3" not in text.partition("History")[0]


def test_deliveries_are_listed_without_the_secret_part_of_their_url(
    dashboard: Dashboard, world: World
) -> None:
    with transaction():
        webhook_endpoints.add(
            world.id,
            "https://hooks.example.com/very/secret",
            secret_keys=[Fernet.generate_key().decode()],
        )
    add_history(world)
    page = viewer_of(dashboard, world).get(address_of(world, "/deliveries"))
    assert page.text.count("hooks.example.com") == 5
    assert "secret" not in page.text
    assert "parked" in text_of(page)


def test_a_known_provider_is_linked_but_no_url_that_a_client_sent(
    dashboard: Dashboard, world: World
) -> None:
    track(
        world,
        ago(days=1),
        crm_provider="https://evil.example",
        crm_provider_id="javascript:alert(1)",
        payment_provider="stripe",
        payment_provider_id="cus_123",
    )
    page = viewer_of(dashboard, world).get(address_of(world))
    assert 'href="https://dashboard.stripe.com/customers/cus_123"' in page.text
    assert "javascript:alert(1)" in page.text
    assert 'href="javascript' not in page.text
    assert 'href="https://evil' not in page.text


def test_reading_a_page_changes_nothing(dashboard: Dashboard, world: World) -> None:
    add_history(world)
    browser = viewer_of(dashboard, world)
    dashboard.clock.advance(days=10)
    browser.sign_in("vera@acme.com")
    text = text_of(browser.get(address_of(world)))
    assert "Critical" in text
    assert world.company("c1").health_status == "At Risk"


def test_a_timeline_offers_only_the_event_keys_of_its_company(world: World) -> None:
    track(world, ago(days=3), ago(days=2), key="report")
    track(world, ago(days=1), key="login")
    track(world, ago(days=1), key="login", company="c2")
    with transaction():
        assert timeline.list_event_keys(world.id, world.company("c1").id) == ["login", "report"]
        assert timeline.list_event_keys(world.id, world.company("c2").id) == ["login"]


def test_a_field_has_its_value_since_the_earliest_event_that_carried_it(world: World) -> None:
    for days, plan in ((9, "Pro"), (3, "Team"), (5, "Team"), (7, "Pro")):
        track(world, ago(days=days), plan=plan)
    with transaction():
        since = field_history.find_last_changes(world.id, world.company("c1").id)
    assert since == {"name": ago(days=9), "plan": ago(days=5)}
