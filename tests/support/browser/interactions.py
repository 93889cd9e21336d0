"""How long the dashboard takes to answer a person, measured in a browser by `make interactions`.

Each interaction is timed from the press of a key or button to the first paint that shows its
result, in a real Chromium, on a complete `brazebee up` with the customers of `brazebee demo-data`.
So it includes what the server, the network on loopback, scripts, layout and painting take.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from tabulate import tabulate

from tests.support.browser.browsing import sign_in
from tests.support.browser.chromium import FLAGS, MISSING, find_chromium
from tests.support.browser.demo_product import furnish, product

REPEATS = 9
PATIENCE_MS = 30_000
DESK = {"width": 1440, "height": 900}

OBSERVE = """
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const painted = at => {
    if (Number(sessionStorage.painted || 0) <= Number(sessionStorage.pressed || 0))
      sessionStorage.painted = at;
  };
  const afterPaint = () => requestAnimationFrame(() => setTimeout(() => painted(now())));
  for (const kind of ["pointerdown", "keydown"])
    addEventListener(kind, () => { sessionStorage.pressed = now(); }, true);
  addEventListener("htmx:afterSettle", afterPaint, true);
  addEventListener("toggle", afterPaint, true);
  new PerformanceObserver(list => {
    for (const entry of list.getEntriesByName("first-contentful-paint"))
      painted(performance.timeOrigin + entry.startTime);
  }).observe({type: "paint", buffered: true});
})()
"""
"""Notes when something was pressed, and when its result was painted: by a new page, a part that
htmx has replaced, or details that were opened. `sessionStorage` survives a change of page."""

ELAPSED = """
() => {
  const {pressed, painted} = sessionStorage;
  return Number(painted || 0) > Number(pressed || 0) ? painted - pressed : null;
}
"""


@dataclass(frozen=True)
class Interaction:
    """Something that a person does: on the page at `address`, one press of a key or button."""

    name: str
    address: str
    press: Callable[[Page], object]
    within: str = "/o/demo"


def click(selector: str) -> Callable[[Page], None]:
    """Return a press that clicks the first matching element."""
    return lambda page: page.locator(selector).first.click(no_wait_after=True)


def fill(selector: str, text: str) -> Callable[[Page], None]:
    """Return a press of the last key of a text, which was typed before; a list then follows."""

    def type_text(page: Page) -> None:
        field = page.locator(selector).first
        field.focus()
        page.keyboard.type(text)

    return type_text


def interactions(company: str) -> Iterator[Interaction]:
    """Yield what is measured; `company` is one with much to show."""
    for title in ("Companies", "Worklist", "Insights", "Rules", "Events"):
        yield Interaction(f"Today: {title}", "/", click(f"nav.pages a:text-is('{title}')"))
    for title in ("Changes", "Upcoming", "Portfolio"):
        yield Interaction(f"Today: {title}", "/", click(f"nav.tabs a:text-is('{title}')"))
    yield Interaction("Companies: Today", "/companies", click("nav.pages a:text-is('Today')"))
    yield Interaction("Companies: a status", "/companies", click(".pills a:has-text('At Risk')"))
    yield Interaction("Companies: sorted by value", "/companies", click("#sort-value"))
    yield Interaction("Companies: next page", "/companies", click("a[rel=next]"))
    yield Interaction("Companies: a company", "/companies", click(".companies tbody th a"))
    for tab in ("Timeline", "Users", "Fields", "Notes"):
        address = f"/companies/{company}"
        yield Interaction(f"A company: {tab}", address, click(f".tabs a:has-text('{tab}')"))
    yield Interaction("Header: search", "/", fill("header input[type=search]", "acme"))


def measure(page: Page, interaction: Interaction) -> float:
    """Return the milliseconds from the press to the paint of its result."""
    page.goto(interaction.within + interaction.address, wait_until="networkidle")
    interaction.press(page)
    elapsed = page.wait_for_function(ELAPSED).json_value()
    assert isinstance(elapsed, float | int)
    return float(elapsed)


def main() -> None:
    """Measure each interaction several times, and print medians and maxima."""
    executable = find_chromium()
    if executable is None:
        raise SystemExit(MISSING)
    with (
        tempfile.TemporaryDirectory() as folder,
        product(Path(folder)) as running,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        page = browser.new_context(base_url=running.url, viewport=DESK).new_page()
        page.set_default_timeout(PATIENCE_MS)
        sign_in(page, running.email, running.password)
        page.wait_for_url("**/o/**")
        company = furnish(running, page)
        page.context.add_init_script(OBSERVE)
        rows = []
        for interaction in interactions(company):
            measure(page, interaction)  # the first one compiles templates and fills caches
            taken = [measure(page, interaction) for _ in range(REPEATS)]
            rows.append((interaction.name, statistics.median(taken), max(taken)))
        browser.close()
    rows.sort(key=lambda row: -row[1])
    sys.stdout.write(tabulate(rows, ("interaction", "median ms", "max ms"), floatfmt=".0f") + "\n")


if __name__ == "__main__":
    main()
