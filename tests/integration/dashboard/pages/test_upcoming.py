"""Upcoming: what time alone will change, by day and by company."""

import html
import re
from datetime import timedelta

import pytest

from dashboard.pages import upcoming
from models.database import transaction
from models.health import forecasts
from services.forecasts.refreshing import refresh
from tests.support.dashboard.application import NOW, Browser, Dashboard, text_of
from tests.support.world import World, days_ago

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: , ticket: , report: }
team: {owner: company.csm, value: company.arr}
flags:
  - flag: Quiet
    event: login
    when: {At Risk: no activity for 9 days}
  - flag: Tickets
    event: ticket
    when: {At Risk: at least 2 times in 3 days}
  - flag: Reports
    event: report
    when: {Critical: at least 1 time in 4 days}
    recover: less than 1 time in 5 days
"""


@pytest.fixture
def world(dashboard: Dashboard) -> World:
    world = World.create(RULES, name="acme", start=NOW, rules_at=-timedelta(days=60))
    ann, ben = {"csm": "ann@acme.com", "arr": 1_000}, {"csm": "Ben", "arr": 5_000}
    world.track("soon", *days_ago(8), **ann)
    world.track("later", *days_ago(5), **ben)
    world.track("loud", *days_ago(0), **ann)
    world.track("loud", *days_ago(2, 1.9), key="ticket", **ann)
    world.track("broken", *days_ago(0), **ben)
    world.track("broken", *days_ago(3), key="report", **ben)
    world.track("fine", *days_ago(0), **ben)
    for at in days_ago(2.5, 1.5, 0):
        world.judge(at=at)
    assert {name: world.status(name) for name in ("soon", "loud", "broken")} == {
        "soon": "Healthy",
        "loud": "At Risk",
        "broken": "Critical",
    }
    with transaction():
        forecasts.ask(world.id, NOW)
    refresh(world.id, world.rulebooks, lambda: NOW)
    return world


@pytest.fixture
def browser(dashboard: Dashboard, world: World) -> Browser:
    return dashboard.signed_in("ann@acme.com", (world.organization, "viewer"))


def figures(browser: Browser, query: str = "") -> dict[str, str]:
    """Return the large figures by their words."""
    page = browser.get(f"/o/acme/upcoming{query}").text
    [listed] = re.findall(r'<ul class="directions".*?</ul>', page, re.DOTALL)
    texts = re.findall(
        r"<strong>([\d,]+)</strong> <span>([^<]+)</span>\s*(?:<[^>]+>([^<]+))?", listed
    )
    return {words: f"{number}, {value}".rstrip(", ") for number, words, value in texts}


def listed(browser: Browser, query: str = "") -> list[str]:
    page = browser.get(f"/o/acme/upcoming{query}").text
    return re.findall(r'<bdi>([^<]+)</bdi></a></span>\s*<span class="step">', page)


def days(browser: Browser, query: str = "") -> dict[str, list[str]]:
    """Return the cells of each day of the table that are not zero."""
    page = browser.get(f"/o/acme/upcoming{query}").text
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', page, re.DOTALL)
    cells = {}
    for head, rest in rows:
        texts = [re.sub(r"<[^>]+>|\s+", " ", cell).split() for cell in rest.split("</td>")[:3]]
        if any(text != ["0"] for text in texts):
            cells[re.sub(r"<[^>]+>", "", head).strip()] = [" ".join(text) for text in texts]
    return cells


def test_totals_count_each_company_once_and_call_silence_no_recovery(browser: Browser) -> None:
    assert figures(browser) == {
        "become worse": "2, worth 6,000",
        "recovers": "1, worth 5,000",
        "will no longer be counted": "1, worth 1,000",
    }
    assert days(browser) == {
        "Wed 21 Jan": ["1 1,000", "0", "1 1,000"],
        "Thu 22 Jan": ["0", "1 5,000", "0"],
        "Sat 24 Jan": ["1 5,000", "0", "0"],
    }
    page = text_of(browser.get("/o/acme/upcoming"))
    assert "As of just now ." in page
    assert "Soon Healthy → to At Risk no logins in 9 days" in page
    assert "Wednesday 10:30 ann 1,000 unless there is one more login" in page
    assert "no longer counted, without a sign of recovery" in page
    assert listed(browser) == ["Soon", "Later", "Broken", "Loud"]


def test_the_list_is_filtered_by_owner_value_status_direction_and_day(browser: Browser) -> None:
    assert listed(browser, "?owner=me") == ["Soon", "Loud"]
    assert listed(browser, "?owner=ben") == ["Later", "Broken"]
    assert listed(browser, "?value=1,001") == ["Later", "Broken"]
    assert listed(browser, "?status=At+Risk") == ["Soon", "Later"]
    assert listed(browser, "?direction=runs-out") == ["Loud"]
    assert listed(browser, "?day=2026-01-21") == ["Soon", "Loud"]
    assert listed(browser, "?day=2026-01-20") == []
    assert figures(browser, "?owner=me&day=2026-01-24")["becomes worse"] == "1, worth 1,000"
    assert listed(browser, "?days=14&owner=me") == ["Soon", "Loud"]
    page = text_of(browser.get("/o/acme/upcoming?days=14&owner=me"))
    assert "again, after a change" in page  # Loud is quiet then
    ignored = "?days=9&day=soon&direction=none&after=nothing"
    assert browser.get(f"/o/acme/upcoming{ignored}").location == "/o/acme/upcoming"
    assert len(listed(browser, "?value=50k")) == len(listed(browser))
    assert "This is not a number such as 50,000" in text_of(
        browser.get("/o/acme/upcoming?value=50k")
    )
    assert "No company that matches the filters changes its status" in text_of(
        browser.get("/o/acme/upcoming?owner=nobody")
    )


def test_days_are_those_of_the_reader(browser: Browser) -> None:
    browser.get("/account")
    browser.post("/account/time-zone", time_zone="Pacific/Kiritimati")
    assert list(days(browser)) == ["Thu 22 Jan", "Fri 23 Jan", "Sun 25 Jan"]
    assert listed(browser, "?day=2026-01-22") == ["Soon", "Loud"]


def test_further_companies_come_in_pages(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upcoming, "PAGE", 3)
    page = browser.get("/o/acme/upcoming")
    [following] = re.findall(r'rel="next" hx-get="([^"]+)"', page.text)
    address = html.unescape(following)
    rows = browser.get(address, headers={"HX-Request": "true"}).text
    assert rows.lstrip().startswith("<li ")
    assert re.findall(r"<bdi>([^<]+)</bdi></a></span>", rows) == ["Loud"]
    assert "Back to the first" in text_of(browser.get(address))


def test_the_page_waits_for_the_first_forecast_and_counts_what_is_evaluated_later(
    dashboard: Dashboard, world: World, browser: Browser
) -> None:
    other = World.create(RULES, name="other", start=NOW)
    member = dashboard.signed_in("eve@other.com", (other.organization, "viewer"))
    page = member.get("/o/other/upcoming")
    assert "The forecast is being computed for the first time." in text_of(page)
    assert 'hx-get="/o/other/upcoming?look=1"' in page.text
    world.track("soon", NOW)
    world.judge("soon")
    assert "1 company was evaluated since" in text_of(browser.get("/o/acme/upcoming"))
