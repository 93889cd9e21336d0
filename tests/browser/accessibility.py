"""What keeps people from using a page: what the checker axe finds, and what does not fit."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

GRAVE = ("serious", "critical")

DESK = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)


def grave_faults(page: Page) -> list[str]:
    """Faults that keep people out, each with the elements that have it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {node['target']} {node['failureSummary']}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


def faults_in_every_look(page: Page) -> list[str]:
    """The grave faults of a page in light, in dark and on a phone, where it must fit as well."""
    faults = []
    for color_scheme, size in (("light", DESK), ("light", PHONE), ("dark", DESK)):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=color_scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        look = f"{color_scheme}, {size['width']} wide"
        faults += [f"{look}: {fault}" for fault in grave_faults(page)]
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            faults.append(f"{look}: wider than the screen")
    return faults
