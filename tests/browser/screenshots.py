"""Pictures of every page for the documents: `make screenshots` starts a product and takes them.

The product is a whole `brazebee up` in a folder of its own, filled by `brazebee demo-data`, whose
seed makes the same customers each time; their year ends at the present.
"""

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import requests
from browsing import sign_in
from chromium import FLAGS, MISSING, find_chromium
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from config.files import ROOT

IMAGES = ROOT / "docs" / "images"
BRAZEBEE = str(Path(sys.executable).parent / "brazebee")
COLOURS = 192
"""Of a picture's palette: text and flat areas need no more, and files are a third as long."""

HIGHEST = 1000
"""Pixels of a picture; what stands further down a page is left out."""

LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
PATIENCE_MS = 60_000
LATELY = timedelta(days=14)

NOTES = (
    "Their champion, Nadia, left for another company. Her successor has not signed in yet.",
    "Called the new head of operations: training on Thursday, then we look at the numbers again.",
)


@dataclass(frozen=True)
class Product:
    """A running product; its command line finds it through `environment`."""

    url: str
    api: str
    email: str
    password: str
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        """What a command prints."""
        return subprocess.run(
            [BRAZEBEE, *arguments], env=self.environment, check=True, stdout=subprocess.PIPE,
            text=True,
        ).stdout  # fmt: skip


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


@contextmanager
def product(folder: Path) -> Iterator[Product]:
    """Start everything, and stop it."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        port, dashboard_port = (str(probe.getsockname()[1]) for probe in (one, two))
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("BRAZEBEE_")},
        "PORT": port,
        "BRAZEBEE_DASHBOARD_PORT": dashboard_port,
        "BRAZEBEE_DATA_DIR": str(folder / "data"),
        "BRAZEBEE_ADMIN_EMAIL": "ada@example.com",
    }
    process = subprocess.Popen(
        [BRAZEBEE, "up"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Post a first event" in line:
                break
        found = re.search(r"Password: +(\S+)", said)
        if found is None:
            raise SystemExit(said)
        yield Product(
            f"http://127.0.0.1:{dashboard_port}", f"http://127.0.0.1:{port}", "ada@example.com",
            found.group(1), environment,
        )  # fmt: skip
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def furnish(product: Product, page: Page) -> str:
    """Fill an organization with customers, and with what people and applications leave behind.

    Returns the id of a company that has something to tell: of those that turned Critical lately,
    the one with the lowest score.
    """
    product.run("demo-data")
    for name, role in (("Ben", "editor"), ("Carla", "editor"), ("Dev", "viewer")):
        email = f"{name.lower()}@example.com"
        product.run("people", "add", email, "--name", name, "--role", role, "--org", "demo")
    keys = [
        product.run("keys", "create", "--org", "demo", "--name", name).strip()
        for name in ("staging", "production")
    ]
    for event_key in ("report_shared", "report_shared", "reprot_created"):
        requests.post(
            f"{product.api}/v1/track", headers={"x-api-key": keys[-1]}, timeout=10,
            json={"event_key": event_key, "company": {"id": "acme", "name": "Acme"}},
        )  # fmt: skip
    critical = json.loads(
        product.run("companies", "--org", "demo", "--status", "Critical", "--json")
    )
    lately = (datetime.now(UTC) - LATELY).isoformat()
    recent = [one for one in critical if one["changed_at"] > lately] or critical
    company = min(recent, key=lambda one: (one["score"], one["id"]))["id"]
    for note in NOTES:
        page.goto(f"/o/demo/companies/{company}/notes")
        page.locator("textarea").fill(note)
        page.get_by_role("button", name="Add note").click()
    return str(company)


def take(page: Page, view: View, look: str) -> None:
    """Open a page, and keep how it looks."""
    page.goto(view.within + view.address, wait_until="networkidle")
    view.prepare(page)
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    scrolled = page.evaluate("scrollY")
    height = page.evaluate("document.documentElement.scrollHeight")
    options = {} if scrolled else {"full_page": True, "clip": {
        "x": 0, "y": 0, "width": page.viewport_size["width"], "height": min(height, HIGHEST),
    }}  # fmt: skip
    keep(page.screenshot(animations="disabled", **options), view.name, look)


def keep(picture: bytes, name: str, look: str) -> None:
    """Write a picture with the colours that it has most of, and the nearest of them for others.

    Pillow's own ways shift the large areas, or lose the colours of small things.
    """
    whole = Image.open(BytesIO(picture)).convert("RGB")
    found = sorted(whole.getcolors(whole.width * whole.height), reverse=True)
    palette = [colour for _, colour in found[:COLOURS]]
    nearest = {
        colour: min(range(len(palette)), key=lambda place: math.dist(palette[place], colour))
        for _, colour in found
    }
    pixels = zip(*[iter(whole.tobytes())] * 3, strict=True)
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
