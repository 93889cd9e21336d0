"""How long the dashboard takes to answer a person, measured in a browser by `make interactions`.

Each interaction is timed from the press of a key or button to the paint that shows all of its
result, in a real Chromium, on a complete `brazebee up` with the customers of `brazebee demo-data`.
So it includes what the server, the network on loopback, scripts, layout and painting take.

A shared machine has phases in which all takes up to nearly twice as long. A press counts only if a
fixed computation before and after it takes no longer than usual; otherwise, it is repeated.

    python -m tests.support.browser.interactions [a part of a name]
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from tabulate import tabulate

from tests.support.browser.browsing import sign_in
from tests.support.browser.chromium import FLAGS, MISSING, find_chromium
from tests.support.browser.demo_product import furnish, product
from tests.support.browser.presses import Interaction, interactions

REPEATS = 5
MOST_OTHERS = 15
PATIENCE_MS = 30_000
QUIET_SECONDS = 0.5
"""How long the page is left alone after a press: Playwright loads scripts of its own into a new
page as soon as it is asked about it, which took 10 ms before the paint."""

LOOP = 400_000
"""Steps of a loop whose time shows how fast the machine is at the moment."""

SLOWER = 1.25
"""How much longer than the fastest of the run a loop may take around a press that counts."""

DESK = {"width": 1440, "height": 900}

OBSERVE = """
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const painted = at => {
    if (Number(sessionStorage.painted || 0) <= Number(sessionStorage.pressed || 0))
      sessionStorage.painted = at;
  };
  const afterPaint = () => requestAnimationFrame(() => setTimeout(() => painted(now())));
  const shown = () => {
    const { shows } = sessionStorage;
    return !shows || document.querySelector(shows)?.checkVisibility();
  };
  const wait = () => requestAnimationFrame(() => {
    if (shown()) setTimeout(() => painted(now()));
    else wait();
  });
  for (const kind of ["pointerdown", "keydown"])
    addEventListener(kind, () => {
      sessionStorage.pressed = now();
      if (sessionStorage.shows) wait();
    }, true);
  for (const kind of ["htmx:afterSettle", "toggle"])
    addEventListener(kind, () => { if (shown()) afterPaint(); }, true);
  addEventListener("DOMContentLoaded", afterPaint);
})()
"""
"""Notes when something was pressed, and when its result was painted: by a new page of which all
is there, a part that htmx has replaced, or an element that `shows` names. `sessionStorage`
survives a change of page."""

ELAPSED = """
() => {
  const {pressed, painted} = sessionStorage;
  return Number(painted || 0) > Number(pressed || 0) ? painted - pressed : null;
}
"""


def measure(page: Page, interaction: Interaction) -> float:
    """Return the milliseconds from the press to the paint of its result."""
    page.goto(interaction.within + interaction.address, wait_until="networkidle")
    interaction.prepare(page)
    page.evaluate("shows => { sessionStorage.shows = shows }", interaction.shows)
    interaction.press(page)
    time.sleep(QUIET_SECONDS)
    elapsed = page.wait_for_function(ELAPSED).json_value()
    page.evaluate("sessionStorage.shows = ''")
    assert isinstance(elapsed, float | int)
    return float(elapsed)


def loop_ms() -> float:
    """Return the milliseconds of a fixed computation, the best of three."""
    taken = []
    for _ in range(3):
        started, total = time.perf_counter(), 0
        for number in range(LOOP):
            total += number * number
        taken.append((time.perf_counter() - started) * 1000)
    return min(taken)


class Pace:
    """How fast the machine is, compared with the fastest that it was in this run."""

    def __init__(self) -> None:
        self.fastest = min(loop_ms() for _ in range(10))

    def is_usual(self) -> bool:
        """Measure the pace; return whether it is the usual one."""
        present = loop_ms()
        self.fastest = min(self.fastest, present)
        return present <= SLOWER * self.fastest


def measure_often(page: Page, interaction: Interaction, pace: Pace) -> tuple[list[float], int]:
    """Return the milliseconds of presses at the usual pace, and how many others there were."""
    measure(page, interaction)  # the first one compiles templates and fills caches
    taken: list[float] = []
    others = 0
    while len(taken) < REPEATS and others < MOST_OTHERS:
        was_usual = pace.is_usual()
        elapsed = measure(page, interaction)
        if was_usual and pace.is_usual():
            taken.append(elapsed)
        else:
            others += 1
    return taken, others


def main() -> None:
    """Measure each interaction several times, and print medians and maxima."""
    executable = find_chromium()
    if executable is None:
        raise SystemExit(MISSING)
    part = " ".join(sys.argv[1:])
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
        pace = Pace()
        for interaction in interactions(company):
            if part not in interaction.name:
                continue
            taken, others = measure_often(page, interaction, pace)
            if not taken:
                sys.stderr.write(f"{interaction.name}: the machine was too slow\n")
                continue
            median = statistics.median(taken)
            rows.append((interaction.name, median, max(taken), others))
            sys.stderr.write(f"{interaction.name}: {median:.0f} ms, {others} not counted\n")
        browser.close()
    rows.sort(key=lambda row: -row[1])
    sys.stdout.write(f"The loop took {pace.fastest:.0f} ms at best.\n")
    sys.stdout.write(
        tabulate(rows, ("interaction", "median ms", "max ms", "not counted"), floatfmt=".0f") + "\n"
    )


if __name__ == "__main__":
    main()
