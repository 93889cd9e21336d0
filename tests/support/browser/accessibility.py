"""What keeps people from using a page: what the checker axe finds, and what does not fit."""

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

GRAVE = ("serious", "critical")

DESK = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)


Scheme = Literal["light", "dark"]

COLOURS = {"runOnly": ["color-contrast"]}
"""What may differ between light and dark."""

LOOKS: tuple[tuple[Scheme, ViewportSize, dict[str, Any] | None], ...] = (
    ("light", DESK, None),
    ("dark", DESK, COLOURS),
    ("light", PHONE, None),
)


def grave_faults(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """Faults that keep people out, each with the elements that have it."""
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {node['target']} {node['failureSummary']}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


def faults_in_every_look(page: Page) -> list[str]:
    """The grave faults of a page in light, in dark and on a phone, where it must fit as well."""
    faults = []
    for color_scheme, size, options in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=color_scheme, reduced_motion="reduce")
        look = f"{color_scheme}, {size['width']} wide"
        faults += [f"{look}: {fault}" for fault in grave_faults(page, options)]
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            faults.append(f"{look}: wider than the screen")
    return faults
