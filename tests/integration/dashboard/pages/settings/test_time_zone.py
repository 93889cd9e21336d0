"""Each person sees and enters times in a time zone of their own."""

import re
from datetime import UTC, datetime

from models.database import transaction
from models.organizations import audit_log
from models.people import people
from tests.support.dashboard.application import PASSWORD, Browser, Dashboard, text_of
from tests.support.dashboard.company_page import add_history, address_of, create_world, track


def stored_zone(email: str) -> str | None:
    with transaction():
        person = people.find(email)
    assert person is not None
    return person.time_zone


def sign_in_from(dashboard: Dashboard, email: str, zone: str) -> Browser:
    browser = dashboard.browser()
    browser.get("/sign-in")
    form = {"email": email, "password": PASSWORD, "time_zone": zone}
    assert browser.post("/sign-in", **form).status_code == 303
    browser.get("/account")
    return browser


def test_the_zone_of_the_first_browser_is_kept_until_a_person_chooses_one(
    dashboard: Dashboard,
) -> None:
    acme = dashboard.organization("acme")
    dashboard.person("ann@acme.com", [(acme, "viewer")])
    browser = sign_in_from(dashboard, "ann@acme.com", "Mars/Olympus")
    assert "Times are in UTC." in text_of(browser.get("/account"))
    browser = sign_in_from(dashboard, "ann@acme.com", "Asia/Kathmandu")
    assert "Times are in Asia/Kathmandu." in text_of(browser.get("/account"))
    sign_in_from(dashboard, "ann@acme.com", "Europe/Berlin")
    assert stored_zone("ann@acme.com") == "Asia/Kathmandu"

    refused = browser.post("/account/time-zone", time_zone="berlin")
    assert refused.status_code == 422
    assert "Did you mean Europe/Berlin?" in text_of(refused)
    browser.get("/account")
    assert browser.post("/account/time-zone", time_zone="europe/berlin").status_code == 303
    assert "Times are now in Europe/Berlin." in text_of(browser.get("/account"))
    with transaction():
        entry = audit_log.read_page(acme.id, limit=1)[0]
    assert entry.action == "Time zone changed"
    assert entry.detail == {"was": "Asia/Kathmandu", "time zone": "Europe/Berlin"}


def test_pages_show_times_in_the_readers_zone_and_in_utc(dashboard: Dashboard) -> None:
    world = create_world()
    add_history(world)
    dashboard.person("ann@acme.com", [(world.organization, "editor")])
    browser = sign_in_from(dashboard, "ann@acme.com", "Asia/Kathmandu")
    override = {"counts": "snooze", "ends": "day", "day": "2026-01-21"}
    browser.post(
        address_of(world, "/flags/Logs%20in"), **override, reason="on holiday", owner="ann"
    )
    page = browser.get(address_of(world))
    assert "is snoozed until 22 Jan 2026, 00:00:00 UTC+5:45." in text_of(page)
    assert "Snoozed until 22 Jan 2026, 00:00 : “on holiday”" in text_of(page)
    written = re.compile(r'datetime="([^"]+)" title="([^"]+)">(\d+ \w+ \d{4}, \d\d:\d\d)<')
    times = [
        match
        for path in ("", "/timeline", "/fields")
        for match in written.findall(browser.get(address_of(world, path)).text)
    ]
    assert len(times) > 5
    for machine, title, shown in times:
        local, utc = title.split(" UTC+5:45 = ")
        assert shown == local[:-3]
        at = datetime.strptime(utc, "%d %b %Y, %H:%M:%S UTC").replace(tzinfo=UTC)
        assert at == datetime.fromisoformat(machine)
        wall = datetime.strptime(local, "%d %b %Y, %H:%M:%S").replace(tzinfo=UTC)
        assert (wall - at).total_seconds() == (5 * 60 + 45) * 60


def test_a_page_over_the_end_of_summer_time_tells_the_two_hours_apart(
    dashboard: Dashboard,
) -> None:
    world = create_world()
    first, second = (datetime(2025, 10, 26, hour, 30, tzinfo=UTC) for hour in (0, 1))
    track(world, first, second)
    dashboard.person("ann@acme.com", [(world.organization, "viewer")])
    browser = sign_in_from(dashboard, "ann@acme.com", "Europe/Berlin")
    timeline = browser.get(address_of(world, "/timeline")).text
    assert re.findall(r">(26 Oct 2025, 02:30[^<]*)<", timeline)[:2] == [
        "26 Oct 2025, 02:30 UTC+1",
        "26 Oct 2025, 02:30 UTC+2",
    ]
