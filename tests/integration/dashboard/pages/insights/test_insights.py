"""Insights: the use of events by week, their adoption, and companies near thresholds."""

import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest
import redis
from werkzeug.test import TestResponse

from config.settings import Settings
from dashboard.pages.insights import frame, overview
from models.database import transaction
from queues.messages import COMPUTE_ANSWER, TOTALS
from services.insights.answers import cached_answer
from services.insights.questions import Adoption
from services.rules.rule_books import RuleBooks
from services.totals import refresh
from tests.support.dashboard.application import NOW, Browser, Dashboard, text_of
from tests.support.dashboard.elements import fetched_by
from tests.support.in_transactions import compute_answer
from tests.support.world import World, days_ago

RULES = """
version: 1
events: {login: {name: Signed in}, report: , old: {name: Old one, enabled: false}}
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 3 times in 7 days, Critical: no activity for 7 days}
    applies_to: {company.plan: [Pro, Team]}
    recover: at least 5 times in 7 days
  - flag: Users
    event: login
    where: {data.source: [web, api]}
    when: {At Risk: fewer than 2 distinct users in 30 days}
  - flag: Drop
    event: login
    when: {At Risk: down 50% in 30 days}
"""

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


def work(settings: Settings) -> list[str]:
    """Compute the answers that were enqueued, as the workers do, and return their questions."""
    with redis.Redis.from_url(settings.redis_url) as queue:
        stored = queue.hgetall(f"dramatiq:{TOTALS}.msgs")
        queue.delete(f"dramatiq:{TOTALS}", f"dramatiq:{TOTALS}.msgs")
    messages = [json.loads(message) for message in stored.values()]
    for message in messages:
        assert message["actor_name"] == COMPUTE_ANSWER
        compute_answer(*message["args"], NOW)
    return [message["args"][1] for message in messages]


@pytest.fixture
def acme(settings: Settings) -> World:
    """Four companies: two on Pro that sign in, one that no longer does, and one that never has."""
    del settings  # the database
    world = World.create(RULES, name="acme", start=NOW, rules_at=-timedelta(days=500))
    world.track("a", *days_ago(8, 9, 10), user="ann", plan="Pro")  # last week
    world.track("a", *days_ago(1, 2, 3), user="ann", data={"source": "web"})
    world.track("b", *days_ago(1), user="ben", plan="Pro", data={"source": "web"})
    world.track("b", *days_ago(15), user="bea")
    world.track("c", *days_ago(60), plan="Team")
    world.track("d", *days_ago(2), key="report", plan='a "b" <i>/c')
    refresh(NOW, RuleBooks())
    world.judge()
    return world


def test_an_organization_without_events_is_told_why_all_numbers_are_zero(
    dashboard: Dashboard,
) -> None:
    empty = World.create(RULES, name="empty", start=NOW)
    reader = dashboard.signed_in("eve@empty.com", (empty.organization, "viewer"))
    page = reader.get("/o/empty/insights")
    assert "there is nothing to count yet" in text_of(page)
    assert 'href="/o/empty/settings/developers/connect"' in page.text
    assert "being counted" not in text_of(page)


@pytest.fixture
def reader(dashboard: Dashboard, acme: World) -> Browser:
    return dashboard.signed_in("vera@example.com", (acme.organization, "viewer"))


def rows_of(page: TestResponse, label: str) -> list[list[str]]:
    """Return the text of the cells of a table's body."""
    [table] = re.findall(
        rf'<caption class="hidden">{re.escape(html.escape(label))}</caption>.*?</table>',
        page.text,
        re.DOTALL,
    )
    body = table.split("<tbody>")[1]
    return [
        [
            " ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    ]


def answered(reader: Browser, settings: Settings, address: str) -> TestResponse:
    """Return a page after the workers have computed the answers that it enqueued."""
    assert reader.get(address).status_code == 200
    work(settings)
    return reader.get(address)


# All keys


def test_each_event_is_shown_with_its_use_and_the_share_of_all_companies(
    reader: Browser, settings: Settings
) -> None:
    page = answered(reader, settings, "/o/acme/insights")
    # NOW is a Tuesday: the days 1 is this week, 2 to 8 are last week, 9 to 15 the week before.
    assert rows_of(page, "Companies and people that use each event") == [
        ["Signed in login", "", "2", "1", "2", f"{MINUS}50 %", "2", "1", "75 %", "50 %"],
        ["report", "", "0", "1", "0", DASH, "0", "0", "25 %", "25 %"],
        ["Old one old disabled", "", "0", "0", "0", DASH, "0", "0", "0 %", "0 %"],
    ]
    assert "Shares of all companies are as of" in text_of(page)


def test_shares_are_the_same_as_in_the_cached_answer(
    reader: Browser, settings: Settings, acme: World
) -> None:
    page = answered(reader, settings, "/o/acme/insights")
    with transaction():
        answer = cached_answer(acme.id, Adoption("login"), NOW).value
    assert answer == {"companies": 4, "ever": 3, "in_a_month": 2}
    assert "75 %" in text_of(page).replace("\xa0", " ")


def test_columns_sort_both_ways_with_unknown_values_last(
    reader: Browser, settings: Settings
) -> None:
    def order(sort: str) -> list[str]:
        page = answered(reader, settings, f"/o/acme/insights?sort={sort}")
        rows = rows_of(page, "Companies and people that use each event")
        return [row[0].split()[0] for row in rows]

    assert order("name") == ["Old", "report", "Signed"]
    assert order("-name") == ["Signed", "report", "Old"]
    assert order("ever") == ["Old", "report", "Signed"]
    assert order("-change")[0] == order("change")[0] == "Signed"
    assert order("no-such")[-1] == "Old"
    page = reader.get("/o/acme/insights?sort=-ever")
    assert 'aria-sort="descending"' in page.text
    assert page.text.count('href="/o/acme/insights?sort=ever"') == 2  # a title, and for phones
    assert '<option value="-ever" selected>Ever used</option>' in page.text


def test_missing_answers_are_enqueued_once_and_polled_for(
    reader: Browser, settings: Settings
) -> None:
    page = reader.get("/o/acme/insights")
    assert "counted for the first time" in text_of(page)
    [again] = fetched_by(page.text)
    assert "look=1" in again
    polled = reader.get(again, headers={"HX-Request": "true"})
    assert "look=2" in polled.text
    assert len(work(settings)) == 3
    assert "counted for the first time" not in reader.get("/o/acme/insights").text


def test_a_page_stops_polling_after_a_while(reader: Browser) -> None:
    page = reader.get(f"/o/acme/insights?look={frame.MAX_POLLS}")
    assert fetched_by(page.text) == []
    assert "still not been counted" in text_of(page)


def test_stale_answers_are_enqueued_again_and_fresh_ones_are_not(
    reader: Browser, settings: Settings, dashboard: Dashboard
) -> None:
    answered(reader, settings, "/o/acme/insights")
    assert work(settings) == []
    dashboard.clock.advance(minutes=5)
    assert "5 minutes ago" in text_of(reader.get("/o/acme/insights"))
    assert len(work(settings)) == 3


def test_weeks_with_newer_events_show_when_they_were_counted(
    reader: Browser, acme: World, dashboard: Dashboard
) -> None:
    assert "Weeks are as of" not in text_of(reader.get("/o/acme/insights"))
    acme.track("c")
    # Merges arrivals, but counts a week at most once a minute.
    refresh(NOW + timedelta(seconds=30), RuleBooks())
    dashboard.clock.advance(seconds=90)
    page = text_of(reader.get("/o/acme/insights"))
    assert "Weeks are as of 1 minute ago" in page
    assert "Events of past weeks have arrived" not in page


def test_weeks_that_are_over_are_marked_until_their_new_events_are_counted(
    reader: Browser, acme: World, dashboard: Dashboard
) -> None:
    acme.track("c", *days_ago(8))
    refresh(NOW + timedelta(seconds=30), RuleBooks())
    dashboard.clock.advance(seconds=90)
    for address in ("/o/acme/insights", "/o/acme/insights/login"):
        page = text_of(reader.get(address))
        assert "Events of past weeks have arrived since these were counted 1 minute ago" in page
    refresh(NOW + timedelta(seconds=90), RuleBooks())
    assert "Events of past weeks" not in text_of(reader.get("/o/acme/insights"))


def test_many_keys_are_paged(reader: Browser, acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "PAGE", 2)
    label = "Companies and people that use each event"
    first = reader.get("/o/acme/insights?sort=name")
    assert [row[0].split()[0] for row in rows_of(first, label)] == ["Old", "report"]
    [following] = re.findall(r'href="([^"]+)" rel="next"', first.text)
    second = reader.get(html.unescape(following))
    assert [row[0].split()[0] for row in rows_of(second, label)] == ["Signed"]
    assert 'rel="next"' not in second.text
    assert "No events yet" in text_of(reader.get("/o/acme/insights?page=99"))


def test_unconfigured_keys_are_shown_with_any_name(reader: Browser, acme: World) -> None:
    key = '<b>"x"</b>/../50%?&'
    acme.track("a", *days_ago(8), key=key)
    refresh(NOW, RuleBooks())
    page = reader.get("/o/acme/insights")
    assert "<b>" not in page.text
    assert "not configured" in text_of(page)
    [address] = [a for a in re.findall(r'href="([^"]+)"', page.text) if "%22x" in a or "x%22" in a]
    event_page = reader.get(html.unescape(address))
    assert event_page.status_code == 200
    assert html.escape(key) in event_page.text.replace("&#34;", "&quot;")


def test_without_events_the_page_explains_what_to_do(dashboard: Dashboard) -> None:
    reader = dashboard.signed_in("n@example.com", (dashboard.organization("new"), "viewer"))
    page = reader.get("/o/new/insights")
    assert "No events yet" in text_of(page)


# One key


def test_an_event_is_shown_by_week(reader: Browser, settings: Settings) -> None:
    page = answered(reader, settings, "/o/acme/insights/login")
    weeks = rows_of(page, "Companies per week")
    assert len(weeks) == 53
    assert weeks[:4] == [
        ["19 Jan 2026 so far", "2"],
        ["12 Jan 2026", "1"],
        ["5 Jan 2026", "2"],
        ["29 Dec 2025", "0"],
    ]
    assert rows_of(page, "People per week")[:3] == [
        ["19 Jan 2026 so far", "2"],
        ["12 Jan 2026", "1"],
        ["5 Jan 2026", "2"],
    ]
    text = " ".join(text_of(page).split())
    assert f"1 last week, {MINUS}50 % compared with the week before" in text


def test_adoption_is_the_share_of_companies_that_ever_used_it(
    reader: Browser, settings: Settings
) -> None:
    page = answered(reader, settings, "/o/acme/insights/login")
    assert "75 % of all companies have ever used it (3 of 4)" in text_of(page).replace("\xa0", " ")
    spread = rows_of(page, "Companies that had ever used it, by week")
    assert spread[0] == ["19 Jan 2026", "4", "3", "75 %"]
    assert ["17 Nov 2025", "1", "1", "100 %"] in spread
    assert spread[-1][1:] == ["0", "0", DASH]


def test_each_flag_shows_the_companies_at_and_near_its_thresholds(
    reader: Browser, settings: Settings
) -> None:
    page = answered(reader, settings, "/o/acme/insights/login")
    # The flag does not apply to the plan of d.
    assert rows_of(page, "Companies by the thresholds of Logs in") == [
        ["Critical no activity for 7 days", "1", "1"],
        ["At Risk less than 3 times in 7 days", "1", "1"],
        ["No threshold", "1", DASH],
    ]
    assert rows_of(page, "Companies by the thresholds of Users")[0][1:] == ["4", "0"]
    text = text_of(page)
    assert "1 company is one event away from At Risk, 1 company is one event away from" in text
    assert "No company is one user away" in text
    assert "Only events where data.source is web or api" in text
    assert "Once raised, the flag stays raised until: at least 5 times in 7 days" in text
    assert "Drop evaluates something other than" in text
    assert 'href="/o/acme/companies?flag=Logs+in&amp;flag_status=At+Risk"' in page.text.replace(
        "%20", "+"
    )


def test_cohorts_show_usage_by_a_field(reader: Browser, settings: Settings) -> None:
    page = answered(reader, settings, "/o/acme/insights/login")
    assert rows_of(page, "Usage by plan") == [
        ["Pro", "2", "2", "100 %", "4.0"],
        ["Team", "1", "0", "0 %", "0.0"],
        ['a "b" <i>/c', "1", "0", "0 %", "0.0"],
    ]
    assert "Highest where plan is Pro : 100 % of 2 companies" in text_of(page).replace("\xa0", " ")
    assert "<i>" not in page.text
    links = re.findall(r'href="([^"]+field\.plan=[^"]+)"', page.text)
    texts = [text_of(reader.get(html.unescape(address))) for address in links]
    assert [
        "2 companies found" in texts[0],
        *("1 company found" in text for text in texts[1:]),
    ] == [
        True,
        True,
        True,
    ]


def test_another_field_can_be_chosen_and_an_unknown_one_is_ignored(
    reader: Browser, settings: Settings
) -> None:
    page = answered(reader, settings, "/o/acme/insights/login?by=crm_provider")
    assert rows_of(page, "Usage by crm_provider") == [["Unknown", "4", "2", "50 %", "2.0"]]
    assert (
        "<option selected>plan</option>"
        in reader.get("/o/acme/insights/login?by='; drop table").text
    )


def test_an_event_that_never_occurred_has_empty_sections(
    reader: Browser, settings: Settings
) -> None:
    page = answered(reader, settings, "/o/acme/insights/old")
    text = text_of(page)
    assert "No events in the past year." in text
    assert "No flag counts this event" in text
    assert "disabled" in text
    assert reader.get("/o/acme/insights/no_such").status_code == 404
    assert reader.get("/o/acme/insights/%00").status_code == 400


def test_a_short_history_works_without_fields_and_users(
    dashboard: Dashboard, settings: Settings
) -> None:
    short = World.create(None, name="short", start=NOW)
    short.track("a")
    refresh(NOW, RuleBooks())
    reader = dashboard.signed_in("s@example.com", (short.organization, "viewer"))
    text = text_of(answered(reader, settings, "/o/short/insights/login"))
    assert "No events with a user in the past year" in text
    assert "No fields to compare by" in text


def test_people_of_other_organizations_see_nothing(dashboard: Dashboard, acme: World) -> None:
    other = dashboard.organization("other")
    stranger = dashboard.signed_in("o@example.com", (other, "administrator"))
    for address in ("/o/acme/insights", "/o/acme/insights/login", "/o/other/insights/login"):
        assert stranger.get(address).status_code == 404
    assert dashboard.browser().get("/o/acme/insights").status_code == 303


def test_without_redis_pages_show_cached_answers(serve_dashboard: Any, acme: World) -> None:
    broken = serve_dashboard(queue_url="redis://127.0.0.1:1/0")
    page = broken.signed_in("r@example.com", (acme.organization, "viewer")).get(
        "/o/acme/insights/login"
    )
    assert page.status_code == 200
