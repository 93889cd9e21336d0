"""The header and the tabs stay in their places when one goes from one page to another."""

from collections import defaultdict
from typing import Any

from playwright.sync_api import Browser

from models.organizations.organizations import Organization
from tests.support.browser.all_pages import address, with_the_header
from tests.support.browser.chromium import FLAGS, find_chromium
from tests.support.browser.running_dashboard import RunningDashboard

WIDTHS = (1440, 1024)
HEIGHT = 700
"""Some pages are higher, and have a scroll bar."""

PLACES = """
() => [...document.querySelectorAll(".brand, .pages a, .find, .mentions-link, .account, .tabs a")]
  .map(part => {
    const box = part.getBoundingClientRect();
    const tabs = part.closest(".tabs");
    const place = tabs ? [box.x, box.width] : [box.x, box.y, box.width, box.height];
    const name = [tabs?.ariaLabel, part.innerText.trim() || part.className].join(" ");
    return [name, place.map(Math.round).join(" ")];
  })
"""
"""The name and the place of each part of the header, and of each tab from left to right."""


def test_the_header_and_tabs_are_in_the_same_place_on_every_page(
    chromium: Browser, dashboard: RunningDashboard, organization: Organization
) -> None:
    person = dashboard.person("header@example.com", organization, "administrator")
    token = dashboard.session_token(person)
    places = defaultdict[Any, dict[str, list[str]]](lambda: defaultdict(list))
    with chromium.browser_type.launch(
        executable_path=find_chromium(), args=list(FLAGS), ignore_default_args=["--hide-scrollbars"]
    ) as with_scroll_bars:
        page = with_scroll_bars.new_page(base_url=dashboard.url, java_script_enabled=False)
        page.context.add_cookies(
            [{"name": "brazebee_session", "value": token, "url": dashboard.url}]
        )
        for state in with_the_header():
            page.goto(address(state, {"organization": organization.name}))
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": HEIGHT})
                for name, place in page.evaluate(PLACES):
                    places[width, name][place].append(page.url)
    assert len(places) >= 20 * len(WIDTHS)
    assert not {part: found for part, found in places.items() if len(found) > 1}
