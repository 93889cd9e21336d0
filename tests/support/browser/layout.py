"""What is wrong with the layout of a page: what a reader cannot see, press, or read in order."""

from pathlib import Path

from playwright.sync_api import Page

from tests.support.browser.awkward.texts import SENTINEL

WIDTHS = (1440, 1024, 390)
PHONE = WIDTHS[-1]
HEIGHT = 900

FAULTS = Path(__file__).with_name("layout.js").read_text(encoding="utf-8")


def layout_faults(page: Page) -> list[str]:
    """Return what is wrong at each width, with the elements concerned, each fault once."""
    faults: dict[str, None] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        found = page.evaluate(FAULTS, [SENTINEL, width == PHONE])
        faults |= dict.fromkeys(f"{width} wide: {fault}" for fault in found)
    return list(faults)
