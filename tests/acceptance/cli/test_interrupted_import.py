"""`brazebee import events`, killed and started again."""

import csv
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.tenant import Tenant

COMPANIES, EVENTS = 80, 400
"""Enough for several processes and transactions."""

COLUMNS = ("id", "event", "time", "company_id", "company_name", "user_id", "data.note")


@pytest.fixture
def table(folder: Path) -> Path:
    chance, now = random.Random(3), datetime.now(UTC)
    path = folder / "events.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for number in range(COMPANIES * EVENTS):
            company = f"c{number % COMPANIES}"
            at = now - timedelta(days=chance.uniform(1, 360))
            user = f"u{chance.randrange(200)}"  # some in several companies
            rows.writerow([f"e{number}", "report", at, company, company, user, "x" * 40])
    return path


def recorded(tenant: Tenant) -> dict[str, list[tuple[Any, ...]]]:
    """Return the transitions of each company."""
    rows = tenant.brazebee.query(
        "select c.external_id, t.at, t.from_status, t.to_status, t.cause, t.changes"
        " from transitions t join companies c"
        " on c.organization_id = t.organization_id and c.id = t.company_id"
        f" where t.organization_id = {tenant.id} order by c.external_id, t.sequence"
    )
    companies: dict[str, list[tuple[Any, ...]]] = {}
    for company, *transition in rows:
        companies.setdefault(company, []).append(tuple(map(str, transition)))
    return companies


def events(tenant: Tenant) -> dict[str, int]:
    """Return the number of events of each company."""
    rows = tenant.brazebee.query(
        "select c.external_id, count(*) from events e join companies c"
        " on c.organization_id = e.organization_id and c.id = e.company_id"
        f" where e.organization_id = {tenant.id} group by 1"
    )
    return dict(rows)


@pytest.mark.thorough
def test_an_import_that_is_killed_continues_and_each_company_is_imported_or_untouched(
    brazebee: Brazebee, folder: Path, table: Path
) -> None:
    killed, whole = (
        tenant_of(brazebee, folder, name) for name in ("killed import", "whole import")
    )
    command = [sys.executable, "-c", "from cli.main import main; main()", "import", "events"]
    with subprocess.Popen(
        [*command, str(table), "--org", killed.name], env=brazebee.environment
    ) as process:
        while not events(killed):
            assert process.poll() is None
            time.sleep(0.02)
        children = psutil.Process(process.pid).children()
        process.kill()
    eventually(lambda: not any(map(psutil.Process.is_running, children)))
    left = events(killed)
    assert set(left.values()) == {EVENTS}
    assert len(left) < COMPANIES
    half = recorded(killed)
    assert half.keys() == left.keys(), "the history comes with the events"
    report = killed.json("import", "events", str(table))
    assert (report["events"], report["repeated"]) == (
        (COMPANIES - len(left)) * EVENTS,
        len(left) * EVENTS,
    )
    assert events(killed) == {f"c{n}": EVENTS for n in range(COMPANIES)}
    assert whole.json("import", "events", str(table))["events"] == COMPANIES * EVENTS
    everything = recorded(killed)
    assert everything == recorded(whole)
    assert {company: everything[company] for company in half} == half
    assert killed.json("import", "events", str(table))["events"] == 0
    assert recorded(killed) == everything


def tenant_of(brazebee: Brazebee, folder: Path, name: str) -> Tenant:
    assert brazebee.run("org", "create", name).returncode == 0
    return Tenant(brazebee, name, folder)
