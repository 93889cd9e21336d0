"""An import of a year of events from CSV and from Parquet, and the same import once more."""

import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psutil

from config.files import DEMO_DATA_RULES
from config.settings import Settings
from models.companies import companies
from models.database import query, transaction
from models.organizations import organizations
from services.rules.apply_rules import apply_rules

USERS = 20
"""Of each company."""

SHARES = {
    "signed_in": 40, "report_created": 20, "dashboard_viewed": 25, "data_exported": 5,
    "teammate_invited": 2, "support_ticket_opened": 2, "nps_answered": 1, "invoice_paid": 1,
}  # fmt: skip

COLUMNS = (
    "event_id", "event", "timestamp", "company_id", "company_name", "company.plan",
    "company.seats", "company.nps", "company.renewal_date", "user_id", "user_email", "user_name",
    "data.amount", "data.severity",
)  # fmt: skip

COMMAND = (sys.executable, "-c", "from cli.main import main; main()", "import", "events")


def measure_imports(
    settings: Settings, now: datetime, *, events: int, customers: int
) -> list[dict[str, Any]]:
    """Return the seconds of each import, and of CPU in Python and in PostgreSQL."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="brazebee-bench-") as made:
        table, parquet = Path(made) / "events.csv", Path(made) / "events.parquet"
        _write_table(table, now, events, customers)
        duckdb.sql(f"copy (select * from '{table}') to '{parquet}' (format parquet)")
        for file in (table, parquet):
            organization_id = _organization(file.suffix, now)
            for times in ("once", "again"):
                row = _measure(settings, file, file.suffix)
                with transaction():
                    ids = companies.list_ids(organization_id)
                    [counted] = query(
                        "select count(*) as n from transitions where organization_id = %(id)s",
                        {"id": organization_id},
                    )
                rows.append(
                    {"file": f"{file.suffix[1:]}, {times}"}
                    | row
                    | {"companies": len(ids), "transitions": counted["n"]}
                )
    return rows


def _organization(name: str, now: datetime) -> int:
    with transaction():
        organization = organizations.create(name)
        text = DEMO_DATA_RULES.read_text(encoding="utf-8")
        apply_rules(organization.id, text, file=str(DEMO_DATA_RULES), applied_by="bench", now=now)
    return organization.id


def _measure(settings: Settings, file: Path, org: str) -> dict[str, Any]:
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }
    python, postgres, started = _python_seconds(), _postgres_seconds(), time.monotonic()
    done = subprocess.run(
        [*COMMAND, str(file), "--org", org, "--json"],
        env=environment, check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    seconds = time.monotonic() - started
    report = json.loads(done.stdout)
    return {
        "events": report["events"],
        "seconds": seconds,
        "rows_per_s": round(report["rows"] / seconds),
        "cpu_s_python": _python_seconds() - python,
        "cpu_s_postgres": _postgres_seconds() - postgres,
        "load": psutil.getloadavg()[0],
    }


def _python_seconds() -> float:
    """Return the CPU of the processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _postgres_seconds() -> float:
    """Return the CPU of PostgreSQL, with its processes that have ended."""
    [server] = [p for p in psutil.Process().children() if p.name() == "postgres"]
    times = server.cpu_times()
    running = [child.cpu_times() for child in server.children()]
    return (
        times.user + times.system + times.children_user + times.children_system
        + sum(each.user + each.system for each in running)
    )  # fmt: skip


def _write_table(path: Path, now: datetime, events: int, customers: int) -> None:
    """Write a year of customers who joined in it, of whom a tenth have left."""
    chance = random.Random(5)
    keys, weights = list(SHARES), list(SHARES.values())
    joined = [chance.uniform(60, 365) for _ in range(customers)]
    left = [chance.choice([0.0] * 9 + [chance.uniform(1, 60)]) for _ in range(customers)]
    seats = [chance.choice([5, 10, 20, 40]) for _ in range(customers)]
    ages = sorted(
        ((chance.uniform(left[n % customers], joined[n % customers]), n % customers)
         for n in range(events)),
        reverse=True,
    )  # fmt: skip
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for number, (age, customer) in enumerate(ages):
            [key] = chance.choices(keys, weights)
            user = chance.randrange(USERS)
            rows.writerow((
                f"event-{number:08}", key, (now - timedelta(days=age)).isoformat(),
                f"company-{customer}", f"Company {customer}",
                ("Team", "Business", "Enterprise")[customer % 3], seats[customer],
                (customer * 7 + int(age / 60)) % 11,
                (now + timedelta(days=customer * 13 % 300 - 20)).date(),
                f"user-{customer}-{user}", f"user{user}@company-{customer}.example",
                f"User {user}", 99 if key == "invoice_paid" else None,
                chance.choice(("low", "high")) if key == "support_ticket_opened" else None,
            ))  # fmt: skip
