"""The cost of the clock and of due flags by the number of companies, beside a nightly recount."""

import time
from datetime import datetime, timedelta
from typing import Any

import redis

from bench.timing import median_ms
from cli.commands.clock import build_clock
from config.settings import Settings
from models import across_organizations
from models.across_organizations import DueCompany
from models.database import database, execute, query, transaction
from queues.broker import QueueBroker
from queues.consumer import COMPANIES_AT_ONCE
from services.health.evaluation import evaluate
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks

FLAGS = 10
EVENTS = 5
"""Events of each company in the window, so that no flag is raised and each has a due time."""

DUE = 500
"""How many flags become due at once."""


def rules() -> str:
    """Return ten flags over one event key, each with its own threshold and window."""
    flags = "".join(
        f"  - flag: Flag {n}\n    event: used\n"
        f"    when: {{At Risk: less than {1 + n % EVENTS} times in {30 + n} days}}\n"
        for n in range(FLAGS)
    )
    return f"version: 1\nevents: {{used: }}\nflags:\n{flags}"


def measure_clock(
    settings: Settings, organization_id: int, sizes: list[int], now: datetime
) -> list[dict[str, Any]]:
    """Return the milliseconds of an idle tick, a due flag and a recount, by number of companies."""
    with transaction():
        apply_rules(organization_id, rules(), file="bench", applied_by="bench", now=now)
    rows, companies = [], 0
    for size in sizes:
        _add_companies(organization_id, companies, size, now)
        companies = size
        rows.append({"companies": size} | _measure(settings, organization_id, now))
    return rows


def _measure(settings: Settings, organization_id: int, now: datetime) -> dict[str, float]:
    client = redis.Redis.from_url(settings.redis_url)
    broker = QueueBroker(client=client, middleware=[])
    clock = build_clock(settings, broker, lambda: now)
    with database.connection_context():
        idle_ms = median_ms(clock.tick, repeats=50)
        find_ms = median_ms(lambda: _find_due(now), repeats=50)
    measured = {
        "idle_tick_ms": idle_ms,
        "probe_ms": find_ms,
        "due_flag_ms": _due_flag_ms(organization_id, now),
    }
    with transaction():
        recount_ms = median_ms(lambda: _recount(organization_id, now), repeats=3)
    client.close()
    return measured | {"usual_way_ms": recount_ms}


def _find_due(until: datetime) -> list[DueCompany]:
    return across_organizations.find_due_companies(
        across_organizations.FLAGS, until=until, limit=DUE
    )


def _due_flag_ms(organization_id: int, now: datetime) -> float:
    """Return the milliseconds to find a due flag, evaluate its company and record the crossing."""
    later = now + timedelta(days=30, seconds=1)
    rulebooks = RuleBooks()
    with database.connection_context():
        started = time.perf_counter()
        due = _find_due(later)
    for first in range(0, len(due), COMPANIES_AT_ONCE.most):
        chunk = due[first : first + COMPANIES_AT_ONCE.most]
        with transaction():
            evaluate(organization_id, [company.company_id for company in chunk], rulebooks, later)
    took = time.perf_counter() - started
    return took * 1000 / len(due)


def _recount(organization_id: int, now: datetime) -> object:
    """Count the events of one flag for all companies."""
    return query(
        "select c.id from companies c left join events e"
        " on e.organization_id = %(org)s and e.company_id = c.id"
        " and e.event_key = 'used' and e.occurred_at > %(now)s::timestamptz - interval '30 days'"
        " and e.occurred_at <= %(now)s where c.organization_id = %(org)s"
        " group by c.id having count(e.event_id) < 5",
        {"org": organization_id, "now": now},
    )


def _add_companies(organization_id: int, before: int, until: int, now: datetime) -> None:
    """Add companies with events and flag states; flags are due 30 days after an early event."""
    parameters = {"org": organization_id, "from": before, "to": until - 1, "now": now}
    with transaction():
        execute(
            "insert into companies (organization_id, external_id, name, first_seen_at,"
            " health_status, judged_version) select %(org)s, 'n' || n, 'Company ' || n,"
            " %(now)s::timestamptz - interval '90 days', 'Healthy', 1"
            " from generate_series(%(from)s, %(to)s) n",
            parameters,
        )
        execute(
            "insert into events (organization_id, event_id, company_id, event_key, occurred_at,"
            " received_at) select %(org)s, c.id || '-' || n, c.id, 'used',"
            " %(now)s::timestamptz - n * interval '1 second'"
            " + (c.id %% 1000) * interval '1 millisecond', %(now)s"
            f" from companies c cross join generate_series(1, {EVENTS}) n"
            " where c.organization_id = %(org)s and c.judged_version = 1"
            " and not exists (select from flag_states f where f.company_id = c.id)",
            parameters,
        )
        execute(
            "insert into flag_states (organization_id, company_id, flag, status, changed_at,"
            " due_at) select %(org)s, c.id, 'Flag ' || n, 'Healthy',"
            " c.first_seen_at, %(now)s::timestamptz - (1 + n %% 5) * interval '1 second'"
            " + (c.id %% 1000) * interval '1 millisecond' + (30 + n) * interval '1 day'"
            f" from companies c cross join generate_series(0, {FLAGS - 1}) n"
            " where c.organization_id = %(org)s and c.judged_version = 1"
            " and not exists (select from flag_states f where f.company_id = c.id)",
            parameters,
        )
    with database.connection_context():
        for table in ("companies", "events", "flag_states"):
            execute(f"vacuum (analyze) {table}")
