"""A complete product with demo data, and with traces of people and applications in it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import psycopg2
import requests
from playwright.sync_api import Page

from tests.support.product.poison import poison

BRAZEBEE = str(Path(sys.executable).parent / "brazebee")
RECENT = timedelta(days=14)

LIST_COMPANIES = ("companies", "--org", "demo", "--json")
LIST_REJECTED = ("rejected", "list", "--org", "demo", "--json")

NOTES = (
    "Their champion, Nadia, left for another company. Her successor has not signed in yet.",
    "Called the new head of operations: training on Thursday, then we look at the numbers again.",
)


@dataclass(frozen=True)
class Product:
    """A running product; commands reach it through `environment`."""

    url: str
    api: str
    email: str
    password: str
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        """Run a command and return its output."""
        return subprocess.run(
            [BRAZEBEE, *arguments], env=self.environment, check=True, stdout=subprocess.PIPE,
            text=True,
        ).stdout  # fmt: skip


@contextmanager
def product(folder: Path) -> Iterator[Product]:
    """Start every process, and stop them afterwards."""
    with (
        socket.create_server(("127.0.0.1", 0)) as api_probe,
        socket.create_server(("127.0.0.1", 0)) as dashboard_probe,
    ):
        port, dashboard_port = (
            str(probe.getsockname()[1]) for probe in (api_probe, dashboard_probe)
        )
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
        output = ""
        for line in process.stdout:
            output += line
            if "Your own customers" in line:
                break
        password = re.search(r"Password: +(\S+)", output)
        if password is None:
            raise SystemExit(output)
        yield Product(
            f"http://127.0.0.1:{dashboard_port}", f"http://127.0.0.1:{port}", "ada@example.com",
            password.group(1), environment,
        )  # fmt: skip
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@contextmanager
def events_set_aside(product: Product) -> Iterator[None]:
    """Have some events of the organization set aside: PostgreSQL stores no NUL in a text."""
    data = Path(product.environment["BRAZEBEE_DATA_DIR"])
    servers = json.loads((data / "running.json").read_text())["environment"]
    address = servers["DATABASE_URL"]
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute("select id from organizations where name = 'demo'")
        [organization_id] = cursor.fetchone() or [0]
    at = datetime.now(UTC).isoformat()
    entries = [{"2": b'{"of": "a newer release"}'}]
    for number, company in enumerate(json.loads(product.run(*LIST_COMPANIES))[:6]):
        event = {
            "organization_id": organization_id,
            "key_id": None,
            "event_id": f"report-{4711 + number}",
            "event_key": "report_created",
            "company": {"id": company["id"], "name": company["name"]},
            "user": None,
            "data": {"title": "Third quarter\0"},
            "occurred_at": at,
            "received_at": at,
        }
        entries.append({"1": orjson.dumps(event)})
    poison(servers["REDIS_URL"], organization_id, *entries)
    deadline = time.monotonic() + 10
    while len(json.loads(product.run(*LIST_REJECTED))) < len(entries):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield
    product.run("rejected", "drop", "--all", "--yes", "--org", "demo")


def furnish(product: Product, page: Page) -> str:
    """Fill an organization with customers, people, API keys, unknown events and notes.

    Return the id of the company with the most to show: the one with the lowest score among those
    that turned Critical recently.
    """
    product.run("demo-data")
    for name, role in (("Ben", "editor"), ("Carla", "editor"), ("Dev", "viewer")):
        email = f"{name.lower()}@example.com"
        product.run("people", "add", email, "--name", name, "--role", role, "--org", "demo")
    keys = [
        product.run("keys", "create", "--org", "demo", "--name", name, "--scope", scope).strip()
        for name, scope in (("staging", "send"), ("reports", "read"), ("production", "send"))
    ]
    for event_key in ("report_shared", "report_shared", "reprot_created"):
        requests.post(
            f"{product.api}/v1/track", headers={"x-api-key": keys[-1]}, timeout=10,
            json={"event_key": event_key, "company": {"id": "acme", "name": "Acme"}},
        )  # fmt: skip
    critical = json.loads(
        product.run("companies", "--org", "demo", "--status", "Critical", "--json")
    )
    since = (datetime.now(UTC) - RECENT).isoformat()
    recent = [company for company in critical if company["changed_at"] > since] or critical
    company_id = min(recent, key=lambda company: (company["score"], company["id"]))["id"]
    for note in NOTES:
        page.goto(f"/o/demo/companies/{company_id}/notes")
        page.locator("textarea").fill(note)
        page.get_by_role("button", name="Add note").click()
    return str(company_id)
