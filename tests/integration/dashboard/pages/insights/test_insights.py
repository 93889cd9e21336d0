"""Insights tell who uses which event, how that spreads, and who is near a threshold."""

import html
import itertools
import json
import re
from datetime import timedelta
from typing import Any

import pytest
import redis
from werkzeug.test import TestResponse

from config.settings import Settings
from dashboard.pages.insights import frame, overview
from models.database import query, transaction
from models.organizations.organizations import Organization
from queues.messages import COMPUTE_ANSWER, TOTALS
from services.insights.answers import cached_answer
from services.insights.questions import Adoption
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from services.totals import refresh
from tests.support.dashboard import NOW, Browser, Dashboard, text_of
from tests.support.events import tracked
from tests.support.in_transactions import compute_answer, evaluate, store

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

numbers = itertools.count(1)


def track(organization: Organization, company: str, days: float, **changed: Any) -> None:
    at = NOW - timedelta(days=days)
    says = {"name": company, **changed.pop("fields", {})}
    key = changed.pop("event_key", "login")
    store([tracked(organization.id, company, at, key=key, company=says, **changed)], RuleBooks())


def rules(organization: Organization, text: str = RULES) -> None:
    with transaction():
        apply_rules(
            organization.id, text, file="r", applied_by="test", now=NOW - timedelta(days=500)
        )


def judge(organization: Organization) -> None:
    with transaction():
        rows = query(
            "select id from companies where organization_id = %(o)s", {"o": organization.id}
        )
    for row in rows:
        evaluate([row["id"]], RuleBooks(), NOW)


def work(settings: Settings) -> list[str]:
    """Do what was asked of the workers; the questions that were."""
    with redis.Redis.from_url(settings.redis_url) as queue:
        stored = queue.hgetall(f"dramatiq:{TOTALS}.msgs")
        queue.delete(f"dramatiq:{TOTALS}", f"dramatiq:{TOTALS}.msgs")
    messages = [json.loads(message) for message in stored.values()]
    for message in messages:
        assert message["actor_name"] == COMPUTE_ANSWER
        compute_answer(*message["args"], NOW)
    return [message["args"][1] for message in messages]


@pytest.fixture
def acme(dashboard: Dashboard) -> Organization:
    """Four companies: two on Pro that sign in, one that no longer does, and one that never did."""
    organization = dashboard.organization("acme")
    rules(organization)
    for days in (8, 9, 10):  # last week
        track(organization, "a", days, user_id="ann", fields={"plan": "Pro"})
    for days in (1, 2, 3):
        track(organization, "a", days, user_id="ann", data={"source": "web"})
    track(organization, "b", 1, user_id="ben", fields={"plan": "Pro"}, data={"source": "web"})
    track(organization, "b", 15, user_id="bea")
    track(organization, "c", 60, fields={"plan": "Team"})
    track(organization, "d", 2, event_key="report", fields={"plan": 'a "b" <i>/c'})
    refresh(NOW)
    judge(organization)
    return organization


@pytest.fixture
def reader(dashboard: Dashboard, acme: Organization) -> Browser:
    return dashboard.signed_in("vera@example.com", (acme, "viewer"))


def rows_of(page: TestResponse, label: str) -> list[list[str]]:
    """The cells of a table's body, as text."""
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
    """A page, after the workers did what its first look asked for."""
    assert reader.get(address).status_code == 200
    work(settings)
    return reader.get(address)


# All keys


def test_each_event_is_shown_with_who_used_it_and_the_share_of_all_companies(
    reader: Browser, settings: Settings
) -> None:
    page = answered(reader, settings, "/o/acme/insights")
    # NOW is a Tuesday: the days 1 is this week, 2 to 8 are last week, 9 to 15 the week before.
    assert rows_of(page, "Companies and people that use each event") == [
        ["Signed in login", "", "2", "1", "2", f"{MINUS}50 %", "2", "1", "75 %", "50 %"],
        ["report", "", "0", "1", "0", DASH, "0", "0", "25 %", "25 %"],
        ["Old one old switched off", "", "0", "0", "0", DASH, "0", "0", "0 %", "0 %"],
    ]
    assert "Shares of all companies are as of" in text_of(page)


def test_shares_are_what_the_question_answers(
    reader: Browser, settings: Settings, acme: Organization
) -> None:
    page = answered(reader, settings, "/o/acme/insights")
    with transaction():
        answer = cached_answer(acme.id, Adoption("login"), NOW).value
    assert answer == {"companies": 4, "ever": 3, "in_a_month": 2}
    assert "75 %" in text_of(page).replace("\xa0", " ")


def test_columns_sort_both_ways_and_what_is_unknown_comes_last(
    reader: Browser, settings: Settings
) -> None:
    def order(sort: str) -> list[str]:
        page = answered(reader, settings, f"/o/acme/insights?sort={sort}")
        found = rows_of(page, "Companies and people that use each event")
        return [row[0].split()[0] for row in found]

    assert order("name") == ["Old", "report", "Signed"]
    assert order("-name") == ["Signed", "report", "Old"]
    assert order("ever") == ["Old", "report", "Signed"]
    assert order("-change")[0] == order("change")[0] == "Signed"
    assert order("no-such")[-1] == "Old"
    page = reader.get("/o/acme/insights?sort=-ever")
    assert 'aria-sort="descending"' in page.text
    assert 'href="/o/acme/insights?sort=ever"' in page.text


def test_what_was_never_counted_is_asked_for_once_and_looked_for_again(
    reader: Browser, settings: Settings
) -> None:
    page = reader.get("/o/acme/insights")
    assert "counted for the first time" in text_of(page)
    [again] = re.findall(r'hx-get="([^"]+)"', page.text)
    assert "look=1" in again
    looked = reader.get(html.unescape(again), headers={"HX-Request": "true"})
    assert "look=2" in looked.text
    assert len(work(settings)) == 3
    assert "counted for the first time" not in reader.get("/o/acme/insights").text


def test_a_page_that_waits_in_vain_ceases_to_look(reader: Browser) -> None:
    page = reader.get(f"/o/acme/insights?look={frame.MAX_POLLS}")
    assert "hx-get" not in page.text
    assert "still not been counted" in text_of(page)


def test_fresh_answers_are_not_asked_for_again_and_old_ones_are(
    reader: Browser, settings: Settings, dashboard: Dashboard
) -> None:
    answered(reader, settings, "/o/acme/insights")
    assert work(settings) == []
    dashboard.clock.advance(minutes=5)
    assert "5 minutes ago" in text_of(reader.get("/o/acme/insights"))
    assert len(work(settings)) == 3


def test_weeks_that_events_came_to_since_are_as_of_when_they_were_counted(
    reader: Browser, acme: Organization, dashboard: Dashboard
) -> None:
    assert "Weeks are as of" not in text_of(reader.get("/o/acme/insights"))
    track(acme, "c", 0)
    refresh(NOW + timedelta(seconds=30))  # gathers, but counts a week once a minute
    dashboard.clock.advance(seconds=90)
    assert "Weeks are as of 1 minute ago" in text_of(reader.get("/o/acme/insights"))


def test_many_keys_are_paged(
    reader: Browser, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "PAGE", 2)
    label = "Companies and people that use each event"
    first = reader.get("/o/acme/insights?sort=name")
    assert [row[0].split()[0] for row in rows_of(first, label)] == ["Old", "report"]
    [following] = re.findall(r'href="([^"]+)" rel="next"', first.text)
    second = reader.get(html.unescape(following))
    assert [row[0].split()[0] for row in rows_of(second, label)] == ["Signed"]
    assert 'rel="next"' not in second.text
    assert "No events yet" in text_of(reader.get("/o/acme/insights?page=99"))


def test_keys_that_nobody_configured_are_shown_with_any_name(
    reader: Browser, acme: Organization
) -> None:
    key = '<b>"x"</b>/../50%?&'
    track(acme, "a", 8, event_key=key)
    refresh(NOW)
    page = reader.get("/o/acme/insights")
    assert "<b>" not in page.text
    assert "not configured" in text_of(page)
    [address] = [a for a in re.findall(r'href="([^"]+)"', page.text) if "%22x" in a or "x%22" in a]
    one = reader.get(html.unescape(address))
    assert one.status_code == 200
    assert html.escape(key) in one.text.replace("&#34;", "&quot;")


def test_an_organization_without_events_is_told_what_to_do(dashboard: Dashboard) -> None:
    reader = dashboard.signed_in("n@example.com", (dashboard.organization("new"), "viewer"))
    page = reader.get("/o/new/insights")
    assert "No events yet" in text_of(page)


# One key


def test_one_event_is_told_week_by_week(reader: Browser, settings: Settings) -> None:
    page = answered(reader, settings, "/o/acme/insights/login")
    weeks = rows_of(page, "Companies a week")
    assert len(weeks) == 53
    assert weeks[:4] == [
        ["19 Jan 2026 so far", "2"],
        ["12 Jan 2026", "1"],
        ["5 Jan 2026", "2"],
        ["29 Dec 2025", "0"],
    ]
    assert rows_of(page, "People a week")[:3] == [
        ["19 Jan 2026 so far", "2"],
        ["12 Jan 2026", "1"],
        ["5 Jan 2026", "2"],
    ]
    assert f"1 last week, {MINUS}50 % against the week before" in " ".join(text_of(page).split())


def test_its_spread_is_the_share_of_companies_that_ever_used_it(
    reader: Browser, settings: Settings
) -> None:
    page = answered(reader, settings, "/o/acme/insights/login")
    assert "75 % of all companies have ever used it (3 of 4)" in text_of(page).replace("\xa0", " ")
    spread = rows_of(page, "Companies that had ever used it, by week")
    assert spread[0] == ["19 Jan 2026", "4", "3", "75 %"]
    assert ["17 Nov 2025", "1", "1", "100 %"] in spread
    assert spread[-1][1:] == ["0", "0", DASH]


def test_each_flag_tells_who_is_below_near_and_above(reader: Browser, settings: Settings) -> None:
    page = answered(reader, settings, "/o/acme/insights/login")
    # The plan of d is none to which the flag applies.
    assert rows_of(page, "Companies by the thresholds of Logs in") == [
        ["Critical no activity for 7 days", "1", "1"],
        ["At Risk less than 3 times in 7 days", "1", "1"],
        ["No threshold", "1", DASH],
    ]
    assert rows_of(page, "Companies by the thresholds of Users")[0][1:] == ["4", "0"]
    told = text_of(page)
    assert "1 company is one event away from At Risk, 1 company is one event away from" in told
    assert "No company is one user away" in told
    assert "Only events where data.source is web or api" in told
    assert "Once raised, the flag stays raised until: at least 5 times in 7 days" in told
    assert "Drop judges something else of it" in told
    assert 'href="/o/acme/companies?flag=Logs+in&amp;flag_status=At+Risk"' in page.text.replace(
        "%20", "+"
    )


def test_cohorts_tell_by_a_field_who_uses_it(reader: Browser, settings: Settings) -> None:
    page = answered(reader, settings, "/o/acme/insights/login")
    assert rows_of(page, "Use by plan") == [
        ["Pro", "2", "2", "100 %", "4.0"],
        ["Team", "1", "0", "0 %", "0.0"],
        ['a "b" <i>/c', "1", "0", "0 %", "0.0"],
    ]
    assert "Most of all where plan is Pro : 100 % of 2 companies" in text_of(page).replace(
        "\xa0", " "
    )
    assert "<i>" not in page.text
    links = re.findall(r'href="([^"]+field\.plan=[^"]+)"', page.text)
    found = [text_of(reader.get(html.unescape(address))) for address in links]
    assert ["2 companies found" in found[0], *("1 company found" in one for one in found[1:])] == [
        True,
        True,
        True,
    ]


def test_another_field_can_be_chosen_and_an_unknown_one_is_left_aside(
    reader: Browser, settings: Settings
) -> None:
    page = answered(reader, settings, "/o/acme/insights/login?by=crm_provider")
    assert rows_of(page, "Use by crm_provider") == [["Unknown", "4", "2", "50 %", "2.0"]]
    assert (
        "<option selected>plan</option>"
        in reader.get("/o/acme/insights/login?by='; drop table").text
    )


def test_an_event_that_never_came_says_so(reader: Browser, settings: Settings) -> None:
    page = answered(reader, settings, "/o/acme/insights/old")
    told = text_of(page)
    assert "No events in the past year." in told
    assert "No flag counts this event" in told
    assert "switched off" in told
    assert reader.get("/o/acme/insights/no_such").status_code == 404
    assert reader.get("/o/acme/insights/%00").status_code == 400


def test_a_very_short_history_does_without_fields_and_users(
    dashboard: Dashboard, settings: Settings
) -> None:
    new = dashboard.organization("short")
    track(new, "a", 0)
    refresh(NOW)
    reader = dashboard.signed_in("s@example.com", (new, "viewer"))
    told = text_of(answered(reader, settings, "/o/short/insights/login"))
    assert "No events with a user in the past year" in told
    assert "No fields to compare by" in told


def test_who_is_no_member_learns_nothing(dashboard: Dashboard, acme: Organization) -> None:
    other = dashboard.organization("other")
    stranger = dashboard.signed_in("o@example.com", (other, "administrator"))
    for address in ("/o/acme/insights", "/o/acme/insights/login", "/o/other/insights/login"):
        assert stranger.get(address).status_code == 404
    assert dashboard.browser().get("/o/acme/insights").status_code == 303


def test_without_redis_pages_show_what_is_known(serve_dashboard: Any, acme: Organization) -> None:
    broken = serve_dashboard(queue_url="redis://127.0.0.1:1/0")
    page = broken.signed_in("r@example.com", (acme, "viewer")).get("/o/acme/insights/login")
    assert page.status_code == 200
