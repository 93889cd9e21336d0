"""Accessibility checks: what axe reports about a page, and pages wider than the screen."""

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from tests.support.properties import profile_is_thorough

GRAVE = ("serious", "critical")

DESK = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=375, height=700)

Scheme = Literal["light", "dark"]

VIOLATIONS_ONLY = {"resultTypes": ["violations"]}
"""Without this axe also describes every element that passes, which takes half of its time."""

CONTRAST_ONLY = {**VIOLATIONS_ONLY, "runOnly": ["color-contrast"]}
"""The dark scheme changes nothing but colours, which `test_assets.py` checks."""

SCROLLING_ONLY = {**VIOLATIONS_ONLY, "runOnly": ["scrollable-region-focusable"]}
"""A phone shows the same elements; more of them have to be scrolled."""

LOOKS: tuple[tuple[Scheme, ViewportSize, dict[str, Any]], ...] = (
    ("light", DESK, VIOLATIONS_ONLY),
    ("dark", DESK, CONTRAST_ONLY),
    ("light", PHONE, VIOLATIONS_ONLY if profile_is_thorough() else SCROLLING_ONLY),
)


def grave_faults(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """Return the serious and critical violations, each with the elements concerned."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    report = page.evaluate("options => axe.run(document, options)", options or VIOLATIONS_ONLY)
    return [
        f"{violation['id']} ({violation['impact']}): {node['target']} {node['failureSummary']}"
        for violation in report["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


def faults_in_every_look(page: Page) -> list[str]:
    """Return the faults of a page in light, in dark and on a phone, including excess width."""
    faults = []
    for color_scheme, size, options in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=color_scheme, reduced_motion="reduce")
        look = f"{color_scheme}, {size['width']} wide"
        faults += [f"{look}: {fault}" for fault in grave_faults(page, options)]
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            faults.append(f"{look}: wider than the screen")
    return faults
