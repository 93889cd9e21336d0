"""Screenshots of every page for the documentation, taken by `make screenshots`.

They show a complete `brazebee up` in a temporary folder, filled by `brazebee demo-data`, whose seed
generates the same customers each time; their year ends now.

    python -m tests.support.browser.screenshots [a part of the name of a page]
"""

import math
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from config.files import ROOT
from tests.support.browser.browsing import sign_in
from tests.support.browser.chromium import FLAGS, MISSING, find_chromium
from tests.support.browser.demo_product import events_set_aside, furnish, product

IMAGES = ROOT / "docs" / "images"
COLOURS = 256
"""Size of an image's palette: enough for text, flat areas and marks, at a third of the size."""

FLAT = 64
"""The most frequent colours, those of areas and letters, which are all in the palette."""

APART = 12
"""The least distance between the other colours of a palette and those before them."""

MAX_HEIGHT = 1000
"""Pixels of an image; anything further down the page is cut off."""

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
PATIENCE_MS = 60_000

UNFINISHED = re.compile("being counted|being computed|not complete yet|They are counted again")
"""What a page says whose figures are still computed in the background."""


Colour = tuple[int, ...]
"""Red, green and blue."""


@dataclass(frozen=True)
class View:
    """A page to capture: its address below the organization's, and the preparation on the page."""

    name: str
    address: str
    prepare: Callable[[Page], object] = lambda _: None
    within: str = "/o/demo"


def wait_until_counted(page: Page) -> None:
    """Reload the page until it has every number that is computed in the background."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    unfinished = page.get_by_text(UNFINISHED)
    while unfinished.count():
        assert time.monotonic() < deadline, f"{page.url} is not finished"
        page.wait_for_timeout(1000)
        page.reload(wait_until="networkidle")


def write_rules(page: Page, phrase: str, other: str) -> None:
    """Replace a phrase in the editor."""
    editor = page.locator(".cm-content")
    editor.wait_for()
    text = page.locator("#text").input_value()
    assert phrase in text, phrase
    editor.focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text.replace(phrase, other))


def plan(page: Page) -> None:
    write_rules(page, "less than 2 times in 14 days", "less than 3 times in 14 days")
    page.get_by_role("button", name="Plan changes").click()
    show(page, "What would change")


def backtest(page: Page) -> None:
    page.locator(".cm-content").wait_for()
    page.get_by_role("button", name="Backtest", exact=True).click()
    show(page, "How often would flags have been raised and cleared?")


def show(page: Page, heading: str) -> None:
    """Wait for a heading, and scroll it to the top of the window."""
    target = page.get_by_role("heading", name=heading)
    target.wait_for()
    target.evaluate("heading => heading.scrollIntoView()")
    page.evaluate("scrollBy(0, -72)")


def backtest_all(page: Page) -> None:
    """Backtest all companies, and wait for the result."""
    page.locator("button:text-is('Backtest all companies')").click()
    page.locator(".badge:has-text('Done')").wait_for(timeout=120_000)


def preview_import(page: Page) -> None:
    """Upload an export that changes one company and creates two."""
    report = (
        "Account ID,Account Name,Account Owner,Annual Revenue,Renewal Date\n"
        "001D000000IqhSLIAZ,Initech,Jane Doe,$120000.00,1/31/2027\n"
        "001D000000IqhSMIAZ,Hooli,John Roe,$98000.00,3/15/2027\n"
        ",Globex,Jane Doe,$45000.00,2/28/2027\n"
    )
    file = {"name": "accounts.csv", "mimeType": "text/csv", "buffer": report.encode()}
    page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Show what it would change").click()
    page.get_by_role("heading", name="accounts.csv").wait_for()


def follow(selector: str) -> Callable[[Page], None]:
    """Return a preparation that follows the first matching link."""

    def go(page: Page) -> None:
        page.locator(selector).first.click()
        page.wait_for_load_state("networkidle")

    return go


def show_first_item(page: Page) -> None:
    """Show the details of the first item, and the actions on it."""
    page.locator("[data-opens]").first.click()
    page.locator(".item-details").wait_for()
    page.locator("input[data-pick]").first.click()


VIEWS = (
    View("today", "/", wait_until_counted),
    View("changes", "/changes?span=7"),
    View("portfolio", "/portfolio", wait_until_counted),
    View("upcoming", "/upcoming", wait_until_counted),
    View("companies", "/companies?status=At+Risk&field.plan=Team"),
    View("worklist", "/worklist?whose=team"),
    View("worklist-item", "/worklist?whose=team", show_first_item),
    View("worklist-response-times", "/worklist/response-times"),
    View("search", "/search?q=sign"),
    View("mentions", "/mentions"),
    View("import", "/import", preview_import),
    View("insights", "/insights", wait_until_counted),
    View("insights-event", "/insights/report_created", wait_until_counted),
    View("outcomes", "/outcomes", wait_until_counted),
    View("outcomes-all", "/outcomes/all"),
    View("outcomes-missed", "/outcomes/companies/missed"),
    View("outcomes-import", "/outcomes/import"),
    View("rules", "/rules"),
    View("rules-plan", "/rules?view=text", plan),
    View("rules-backtest", "/rules?view=text", backtest),
    View("rules-backtest-of-all", "/rules?view=text", backtest_all),
    View("rules-backtests", "/rules/backtests"),
    View("rules-examples", "/rules/examples"),
    View("rules-example", "/rules/examples/usage-drop"),
    View("rules-versions", "/rules/versions"),
    View("rules-difference", "/rules/versions/2"),
    View("events", "/events"),
    View("live", "/events/live"),
    View("refused", "/events/refused"),
    View("refused-request", "/events/refused", follow("tbody tr:has-text('shared') a")),
    View("developers", "/settings/developers"),
    View("connect", "/settings/developers/connect"),
    View("connect-sdk", "/settings/developers/connect/sdk"),
    View("webhooks", "/settings/developers/webhooks"),
    View("webhook", "/settings/developers/webhooks", follow("tbody th a")),
    View("deliveries", "/settings/developers/deliveries"),
    View("delivery", "/settings/developers/deliveries", follow("tbody td a")),
    View("people", "/settings/people"),
    View("owners", "/settings/owners"),
    View("audit-log", "/settings/audit"),
    View("notifications", "/settings/notifications"),
    View("account", "/account", within=""),
)


def views_of(company: str) -> Iterator[View]:
    """Yield the pages of a company with much to show."""
    yield View("company", f"/companies/{company}?span=90")
    yield View("company-timeline", f"/companies/{company}/timeline")
    yield View("company-users", f"/companies/{company}/users")
    yield View("user", f"/companies/{company}/users", follow("tbody th a"))
    yield View("report", f"/companies/{company}/report")
    yield View("company-fields", f"/companies/{company}/fields")
    yield View("company-notes", f"/companies/{company}/notes")
    yield View("company-deliveries", f"/companies/{company}/deliveries")
    yield View("flag", f"/companies/{company}", follow(".flag[open] .buttons a"))
    yield View("company-outcomes", f"/companies/{company}/outcomes")
    yield View("trace", f"/companies/{company}/timeline", follow("a:text-is('Trace')"))


SIGN_IN = View("sign-in", "/sign-in", within="")

SET_ASIDE = (
    View("set-aside", "/events/set-aside"),
    View("set-aside-event", "/events/set-aside", follow("tbody tr:has-text('report') a")),
)
"""Pages with events that are set aside, of which no other picture should have a notice."""


def take(page: Page, view: View, look: str) -> None:
    """Open a page and save its screenshot."""
    page.goto(view.within + view.address, wait_until="networkidle")
    view.prepare(page)
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    height = min(page.evaluate("document.documentElement.scrollHeight"), MAX_HEIGHT)
    clip = {"x": 0, "y": 0, "width": page.evaluate("innerWidth"), "height": height}
    whole: dict[str, Any] = {"full_page": True, "clip": clip}
    scrolled_to = page.evaluate("scrollY")
    save(page.screenshot(animations="disabled", **({} if scrolled_to else whole)), view.name, look)


def save(picture: bytes, name: str, look: str) -> None:
    """Write an image with a palette."""
    whole = Image.open(BytesIO(picture)).convert("RGB")
    with_palette(whole).save(IMAGES / f"{name}-{look}.png", optimize=True)


def with_palette(whole: Image.Image) -> Image.Image:
    """Return an image whose colours are replaced by the nearest of a palette.

    The shades at the edges of letters leave room in it for a mark of few pixels. Pillow's own
    quantization shifts the colours of large areas, or loses those of small details.
    """
    pixels = list(zip(*[iter(whole.tobytes())] * 3, strict=True))
    frequencies = Counter(pixels)
    palette = choose(frequencies)
    nearest = {
        colour: min(range(len(palette)), key=lambda index: math.dist(palette[index], colour))
        for colour in frequencies
    }
    small = Image.frombytes("P", whole.size, bytes(map(nearest.__getitem__, pixels)))
    small.putpalette([part for colour in palette for part in colour])
    return small


def choose(frequencies: Counter[Colour]) -> list[Colour]:
    """Return the colours of a palette: the most frequent ones, then those that are unlike them."""
    by_frequency = [colour for colour, _ in frequencies.most_common()]
    chosen, near = by_frequency[:FLAT], []
    for colour in by_frequency[FLAT:]:
        is_near = any(math.dist(colour, other) < APART for other in chosen)
        (near if is_near else chosen).append(colour)
        if len(chosen) == COLOURS:
            break
    return [*chosen, *near][:COLOURS]


def main() -> None:
    """Take all screenshots, or those of some pages, in every look."""
    part = " ".join(sys.argv[1:])
    executable = find_chromium()
    if executable is None:
        raise SystemExit(MISSING)
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        product(Path(folder)) as running,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        company = ""
        for look, options in LOOKS.items():
            page = browser.new_context(base_url=running.url, **options).new_page()
            page.set_default_timeout(PATIENCE_MS)
            if part in SIGN_IN.name:
                take(page, SIGN_IN, look)
            else:
                page.goto(SIGN_IN.address)
            sign_in(page, running.email, running.password)
            page.wait_for_url("**/o/**")
            company = company or furnish(running, page)
            for view in (*VIEWS, *views_of(company)):
                if part in view.name:
                    take(page, view, look)
            with events_set_aside(running):
                for view in SET_ASIDE:
                    if part in view.name:
                        take(page, view, look)
        browser.close()


if __name__ == "__main__":
    main()
