"""The page that a company opens with: its sentence, its facts, what to do, and its activity."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from dashboard.pages.company.overview.headline import Headline
from models.database import execute, transaction
from models.events.activity.periods import count_for_company
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from tests.support.dashboard.application import NOW, Browser, Dashboard, text_of, without_isolation
from tests.support.dashboard.company_page import address_of, ago, create_world, track
from tests.support.world import World, days_ago

TEAM = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: {name: Signed in}, report: {name: Report created}}
team: {owner: company.csm, value: company.arr, renewal: company.renewal_date}
flags:
  - {flag: Renewal, when: {Critical: company.renewal_date within 60 days}, note: Make a plan.}
  - {flag: Usage drop, event: report, when: {At Risk: down 40% in 30 days}, note: Call them.}
  - {flag: Quiet, event: login, when: {At Risk: no activity for 7 days}, note: Call them.}
  - {flag: Reports, event: report, when: {At Risk: no activity for 90 days}}
"""


@pytest.mark.parametrize(
    ("headline", "because"),
    [
        (Headline(["renews today"], 0, 3), "renews today"),
        (Headline(["NPS is 3", "renews today"], 0, 3), "NPS is 3, and renews today"),
        (Headline(["a", "b", "c"], 37, 40), "a, b, c, and 37 more flags"),
        (Headline(["a", "b", "c"], 1, 4), "a, b, c, and 1 more flag"),
        (Headline([], 0, 7), "none of 7 flags is raised"),
        (Headline([], 0, 0), "no flag applies"),
    ],
)
def test_the_sentence_gives_the_worst_reasons(headline: Headline, because: str) -> None:
    assert headline.because == because


@pytest.fixture
def world(dashboard: Dashboard) -> World:
    del dashboard  # the database
    world = create_world(rules=TEAM)
    renewal = (NOW + timedelta(days=36)).date().isoformat()
    fields = {"csm": "ann@acme.com", "arr": 12_000, "renewal_date": renewal, "plan": "Pro"}
    track(world, *days_ago(*range(59, 42, -1)), key="report", **fields)
    track(world, *days_ago(12, 11, 10, 9, 8, 7), key="report")
    track(world, *days_ago(1), user="u1")
    world.judge("c1")
    return world


def editor_of(dashboard: Dashboard, world: World) -> Browser:
    return dashboard.signed_in("ed@acme.com", (world.organization, "editor"))


def test_a_company_opens_with_why_whose_how_much_and_what_to_do(
    dashboard: Dashboard, world: World
) -> None:
    browser = editor_of(dashboard, world)
    text = text_of(browser.get(address_of(world)))
    since = "renews in 36 days, and reports fell from 17 to 6."
    assert re.search(rf"Acme Corp Critical since \d+ \w+(?: 2025)? : {re.escape(since)}", text)
    facts = "Owner ann@acme.com Value 12,000 Plan Pro Renewal 25 Feb 2026, in 36 days"
    assert f"{facts} Last contact event 1 day ago" in text
    to_do = text.partition("What to do ")[2]
    assert to_do.startswith("Make a plan. Renewal Call them. Usage drop Flags 2 of 4 raised")
    with transaction():
        execute(
            "update work_items set next_step = 'Book a call.', due_on = '2026-02-01'"
            " where flag = 'Usage drop' and organization_id = %(id)s",
            {"id": world.id},
        )
    to_do = text_of(browser.get(address_of(world))).partition("What to do ")[2]
    assert to_do.startswith("Make a plan. Renewal Book a call. Usage drop ")
    report = text_of(browser.get(address_of(world, "/report")))
    assert "renews in 36 days. Make a plan." in report
    assert "reports fell from 17 to 6. Book a call. by 1 Feb 2026" in report
    assert "Call them." not in report
    with transaction():
        execute(
            "update work_items set state = 'done' where flag = 'Renewal'"
            " and organization_id = %(id)s",
            {"id": world.id},
        )
    to_do = text_of(browser.get(address_of(world))).partition("What to do ")[2]
    assert to_do.startswith("Book a call. Usage drop ")
    assert "Make a plan." not in text_of(browser.get(address_of(world, "/report")))
    browser.get(address_of(world, "/notes"))
    browser.post(address_of(world, "/notes"), text="Spoke with them.")
    assert "Last contact note by Ed, just now" in text_of(browser.get(address_of(world)))


def test_a_snoozed_flag_is_no_reason_and_a_flag_set_by_hand_is_one(
    dashboard: Dashboard, world: World
) -> None:
    browser = editor_of(dashboard, world)
    for flag, counts in (("Renewal", "snooze"), ("Quiet", "=At Risk")):
        browser.get(address_of(world, f"/flags/{flag}"))
        form = {"counts": counts, "ends": "7", "reason": "agreed", "owner": "ed"}
        assert browser.post(address_of(world, f"/flags/{flag}"), **form).status_code == 303
    text = text_of(browser.get(address_of(world)))
    assert "At Risk since 10:30 : reports fell from 17 to 6, and set to At Risk by hand." in text
    assert "2 of 4 raised" in text
    assert text.partition("What to do ")[2].startswith("Call them. Usage drop, Quiet ")


def test_the_three_newest_outcomes_are_shown_and_nothing_without_any(
    dashboard: Dashboard, world: World
) -> None:
    browser = editor_of(dashboard, world)
    assert "All outcomes" not in browser.get(address_of(world)).text
    entered = [
        NewOutcome(world.company_id("c1"), kind, ago(days=days).date(), Decimal(days * 1000), note)
        for kind, days, note in (
            (OutcomeKind.RENEWED, 9, ""), (OutcomeKind.GREW, 3, "<b>12</b> seats"),
            (OutcomeKind.SHRANK, 400, "the oldest"), (OutcomeKind.RENEWED, 374, ""),
        )
    ]  # fmt: skip
    with transaction():
        outcomes.enter(world.id, entered, "test", NOW)
    page = browser.get(address_of(world))
    shown = text_of(page).partition("All outcomes ")[2].partition(" Notes")[0]
    assert shown == (
        "Grew 3,000 17 Jan 2026 &lt;b&gt;12&lt;/b&gt; seats"
        " Renewed 9,000 11 Jan 2026 Renewed 374,000 11 Jan 2025"
    )
    assert f'href="{address_of(world, "/outcomes")}">All outcomes<' in page.text


def test_the_events_by_week_are_those_that_are_stored(dashboard: Dashboard, world: World) -> None:
    page = editor_of(dashboard, world).get(address_of(world, "?span=90"))
    table = without_isolation(page.text).partition(">Week of<")[2].partition("</table>")[0]
    shown = re.findall(r'<td>([^<]+)</td><td class="number">(\d+)</td>', table)
    stored = world.rows(
        "select date_trunc('week', occurred_at at time zone 'UTC')::date as week,"
        " count(*) as number from events group by 1 order by 1 desc"
    )
    counted = {f"{row['week'].day} {row['week']:%b %Y}": str(row["number"]) for row in stored}
    assert {week: number for week, number in shown if number != "0"} == counted
    assert page.text.count('class="chart activity') == 2
    assert "24 events in these weeks." in page.text


def test_weeks_with_more_events_than_can_be_counted_are_left_out(
    dashboard: Dashboard, world: World
) -> None:
    del dashboard  # the database
    starts = [ago(days=days) for days in (70, 50, 20, 2)]
    with transaction():
        company_id = world.company_id("c1")
        everything = count_for_company(world.id, company_id, starts, NOW)
        newest = count_for_company(world.id, company_id, starts, NOW, most=7)
    assert everything.counts == [9, 8, 6, 1]
    assert (everything.incomplete, everything.total) == (0, 24)
    assert newest.counts == [None, None, 6, 1]
    assert (newest.incomplete, newest.total) == (2, 7)


def test_a_page_with_forty_flags_folds_most_of_them(dashboard: Dashboard) -> None:
    flags = "".join(
        f"  - {{flag: F{n}, event: login, when: {{At Risk: no activity for {n + 1} days}},"
        f" note: Note {n}}}\n"
        for n in range(40)
    )
    world = create_world("many", TEAM.partition("flags:")[0] + "flags:\n" + flags)
    track(world, ago(days=30))
    world.judge("c1")
    page = editor_of(dashboard, world).get(address_of(world))
    assert page.text.count('<details class="flag"') == 40
    assert page.text.count('<details class="flag" open') == 1
    assert "nobody signed in for 30 days." in text_of(page)


def test_a_name_that_cannot_be_seen_is_replaced_by_the_id(dashboard: Dashboard) -> None:
    world = create_world()
    track(world, ago(days=1), name="\u3164\u200b")
    world.judge("c1")
    page = editor_of(dashboard, world).get(address_of(world))
    assert re.search(r"<h1[^>]*><bdi>c1</bdi></h1>", page.text)
