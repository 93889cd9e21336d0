"""The search in the header, the page of a user, and the report of a company."""

import re
from datetime import timedelta

import pytest

from tests.support.dashboard.application import NOW, Browser, Dashboard, text_of, without_isolation
from tests.support.dashboard.company_page import address_of, create_world, track
from tests.support.world import World, days_ago


@pytest.fixture
def world(dashboard: Dashboard) -> World:
    del dashboard  # the database
    world = create_world()
    track(world, *days_ago(60, 20, 9, 8, 1), user="u1", key="report", plan="Pro")
    world.track("c2", *days_ago(3, 2), user="u1", user_fields={"email": "ann@acme.io"}, name="Beta")
    world.track("c2", *days_ago(5), user="u2")
    world.judge()
    return world


@pytest.fixture
def browser(dashboard: Dashboard, world: World) -> Browser:
    return dashboard.signed_in("ed@acme.com", (world.organization, "editor"))


def test_the_search_finds_companies_users_event_keys_and_pages(browser: Browser) -> None:
    found = text_of(browser.get("/o/acme/search?q=ann@acme"))
    assert "Companies Acme Corp c1 Critical" in found
    assert "Users User u1 ann@acme.io · Acme Corp" in found
    assert "Event keys Report created report" in text_of(browser.get("/o/acme/search?q=rep"))
    page = browser.get("/o/acme/search?q=ann@acme")
    assert "Results for “ann@acme”" in text_of(page)
    assert 'name="q" value="ann@acme"' in page.text
    assert "Pages Warnings" in text_of(browser.get("/o/acme/search?q=warn"))
    assert "Pages Insights" in text_of(browser.get("/o/acme/search?q=insi"))
    assert "Nothing is called “<script>”" in text_of(
        browser.get("/o/acme/search?q=%3Cscript%3E")
    ).replace("&lt;", "<").replace("&gt;", ">")


def test_the_search_answers_htmx_with_the_results_alone(browser: Browser) -> None:
    answer = browser.get("/o/acme/search?q=beta", headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    [address] = re.findall(r'href="([^"]+)"', answer.text)
    assert browser.get(address).status_code == 200
    assert browser.get("/o/acme/search", headers={"HX-Request": "true"}).text.strip() == ""


def test_the_figures_of_a_user_are_those_of_the_stored_events(
    browser: Browser, world: World
) -> None:
    page = browser.get("/o/acme/users/u1")
    text = text_of(page)
    companies = world.rows(
        "select c.external_id as id, c.name, count(*) as events from events e"
        " join users u on u.id = e.user_id join companies c on c.id = e.company_id"
        " where u.external_id = 'u1' group by 1, 2"
    )
    assert len(companies) == 2
    for company in companies:
        assert re.search(
            rf"{company['name']} [A-Z][\w ]+ {company['events']} events?, the last", text
        )
    weeks = world.rows(
        "select date_trunc('week', occurred_at at time zone 'UTC') as week, count(*) as events"
        " from events e join users u on u.id = e.user_id where u.external_id = 'u1' group by 1"
    )
    shown = re.findall(
        r'<td>([^<]+)</td><td class="number">(\d+)</td>', without_isolation(page.text)
    )
    counted = {f"{row['week'].day} {row['week']:%b %Y}": str(row["events"]) for row in weeks}
    assert {week: number for week, number in shown if number != "0"} == counted
    times = re.findall(r'<li class="event".*?datetime="([^"]+)"', page.text, re.DOTALL)
    assert times == [
        f"{NOW - timedelta(days=day):%Y-%m-%dT%H:%M:%SZ}" for day in (1, 2, 3, 8, 9, 20, 60)
    ]
    assert "Users of Acme Corp" in text
    assert "Email ann@acme.io" in text
    assert browser.get("/o/acme/users/nobody").status_code == 404


def test_the_events_of_a_user_are_paged(browser: Browser, world: World) -> None:
    track(world, *days_ago(*(day / 2 for day in range(100, 170))), user="u3")
    first = browser.get("/o/acme/users/u3")
    following = re.search(r'rel="next" hx-get="([^"]+)"', first.text)
    assert following is not None
    rest = browser.get(following[1].replace("&amp;", "&"), headers={"HX-Request": "true"})
    assert first.text.count('<li class="event"') + rest.text.count('<li class="event"') == 70
    assert browser.get("/o/acme/users/u3?after=nonsense").status_code == 400


def test_pages_link_to_users(browser: Browser, world: World) -> None:
    for page in ("/users", "/timeline", ""):
        assert 'href="/o/acme/users/u1"' in browser.get(address_of(world, page)).text


def test_a_report_has_the_sentence_the_raised_flags_and_the_latest_notes(
    browser: Browser, world: World
) -> None:
    browser.get(address_of(world, "/notes"))
    browser.post(address_of(world, "/notes"), text="See https://acme.io/plan.")
    page = browser.get(address_of(world, "/report"))
    text = text_of(page)
    assert re.search(r"Acme Corp Critical since [^:]+: nobody signed in so far\.", text), text[:900]
    assert "Critical Logs in : nobody signed in so far. Who renews signs in daily." in text
    assert "See https://acme.io/plan ." in text
    assert 'href="https://acme.io/plan" rel="noopener noreferrer nofollow"' in page.text
    assert "data-print" in page.text
    assert page.text.count('<svg class="chart') == 4, "two charts, each for two widths"
