"""Pictures of every page for the documents: `make screenshots` starts a product and takes them.

The product is a whole `brazebee up` in a folder of its own, filled by `brazebee demo-data`, whose
seed makes the same customers each time; their year ends at the present.
"""

import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from config.files import ROOT
from tests.support.browser.browsing import sign_in
from tests.support.browser.chromium import FLAGS, MISSING, find_chromium
from tests.support.browser.demo_product import furnish, product

IMAGES = ROOT / "docs" / "images"
COLOURS = 192
"""Of a picture's palette: text and flat areas need no more, and files are a third as long."""

HIGHEST = 1000
"""Pixels of a picture; what stands further down a page is left out."""

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
PATIENCE_MS = 60_000


@dataclass(frozen=True)
class View:
    """A page to take: its address below the organization's, and what is done there first."""

    name: str
    address: str
    prepare: Callable[[Page], object] = lambda _: None
    within: str = "/o/demo"


def counted(page: Page) -> None:
    """Wait until numbers that are worked out once somebody looks are there."""
    expect(page.get_by_text("counted for the first time")).to_have_count(0)
    expect(page.get_by_text("Being counted")).to_have_count(0)


def write_rules(page: Page, phrase: str, other: str) -> None:
    """Put another phrase in the place of one, in the editor."""
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
    page.get_by_role("button", name="Backtest").click()
    show(page, "How often would flags have been raised and cleared?")


def show(page: Page, heading: str) -> None:
    """Wait for what was asked for, and bring it to the top of the window."""
    found = page.get_by_role("heading", name=heading)
    found.wait_for()
    found.evaluate("heading => heading.scrollIntoView()")
    page.evaluate("scrollBy(0, -72)")


def follow(selector: str) -> Callable[[Page], None]:
    """Go where the first link goes that matches."""

    def go(page: Page) -> None:
        page.locator(selector).first.click()
        page.wait_for_load_state("networkidle")

    return go


def views(company: str) -> Iterator[View]:
    """Every page, `company` being one that has something to tell."""
    yield View("today", "/")
    yield View("companies", "/companies?status=At+Risk&field.plan=Team")
    yield View("company", f"/companies/{company}?span=90")
    yield View("company-timeline", f"/companies/{company}/timeline")
    yield View("company-users", f"/companies/{company}/users")
    yield View("company-fields", f"/companies/{company}/fields")
    yield View("company-notes", f"/companies/{company}/notes")
    yield View("company-deliveries", f"/companies/{company}/deliveries")
    yield View("flag", f"/companies/{company}", follow(".flag[open] .buttons a"))
    yield View("insights", "/insights", counted)
    yield View("insights-event", "/insights/report_created", counted)
    yield View("rules", "/rules", lambda page: page.locator(".cm-content").wait_for())
    yield View("rules-plan", "/rules", plan)
    yield View("rules-backtest", "/rules", backtest)
    yield View("rules-versions", "/rules/versions")
    yield View("rules-difference", "/rules/versions/2")
    yield View("events", "/events")
    yield View("developers", "/settings/developers")
    yield View("webhooks", "/settings/developers/webhooks")
    yield View("webhook", "/settings/developers/webhooks", follow("tbody th a"))
    yield View("deliveries", "/settings/developers/deliveries")
    yield View(
        "delivery", "/settings/developers/deliveries", follow("tbody tr:not(:has-text('a test')) a")
    )
    yield View("people", "/settings/people")
    yield View("audit-log", "/settings/audit")
    yield View("account", "/account", within="")


def take(page: Page, view: View, look: str) -> None:
    """Open a page, and keep how it looks."""
    page.goto(view.within + view.address, wait_until="networkidle")
    view.prepare(page)
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    height = min(page.evaluate("document.documentElement.scrollHeight"), HIGHEST)
    clip = {"x": 0, "y": 0, "width": page.evaluate("innerWidth"), "height": height}
    whole: dict[str, Any] = {"full_page": True, "clip": clip}
    scrolled_to = page.evaluate("scrollY")
    keep(page.screenshot(animations="disabled", **({} if scrolled_to else whole)), view.name, look)


def keep(picture: bytes, name: str, look: str) -> None:
    """Write a picture with the colours that it has most of, and the nearest of them for others.

    Pillow's own ways shift the large areas, or lose the colours of small things.
    """
    whole = Image.open(BytesIO(picture)).convert("RGB")
    pixels = list(zip(*[iter(whole.tobytes())] * 3, strict=True))
    often = Counter(pixels)
    palette = [colour for colour, _ in often.most_common(COLOURS)]
    nearest = {
        colour: min(range(len(palette)), key=lambda place: math.dist(palette[place], colour))
        for colour in often
    }
    small = Image.frombytes("P", whole.size, bytes(map(nearest.__getitem__, pixels)))
    small.putpalette([part for colour in palette for part in colour])
    small.save(IMAGES / f"{name}-{look}.png", optimize=True)


def main() -> None:
    """Take all pictures, in every look."""
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
            take(page, View("sign-in", "/sign-in", within=""), look)
            sign_in(page, running.email, running.password)
            page.wait_for_url("**/o/**")
            company = company or furnish(running, page)
            for view in views(company):
                take(page, view, look)
        browser.close()


if __name__ == "__main__":
    main()
