"""The cost of a backtest, compared with only reading the same events."""

import time
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from config.files import ROOT
from config.settings import Settings
from models.companies import companies
from models.database import execute, query, transaction
from rules.file.rule_file import read_rules
from services.rules.backtest import ReplayPeriod, backtest

COMPANIES = 1_000
EVENTS = 500_000
DAYS = 90

RULE_FILES = ("config/health.yaml", "config/examples/usage-drop.yaml")


def measure_backtest(
    settings: Settings, organization_id: int, now: datetime
) -> list[dict[str, Any]]:
    """Return the seconds of a backtest over 90 days, by rule file."""
    _fill(organization_id, now)
    with transaction():
        ids = companies.list_ids(organization_id)
        started = time.perf_counter()
        query(
            "select company_id, occurred_at, event_key, user_id, data from events"
            " where organization_id = %(id)s",
            {"id": organization_id},
        )
        reading = time.perf_counter() - started
    rows = []
    for file in RULE_FILES:
        book = read_rules((ROOT / file).read_text(encoding="utf-8"))
        started = time.perf_counter()
        period = ReplayPeriod(now - timedelta(days=DAYS), now)
        chunks = backtest(settings, organization_id, ids, [book], period)
        replayed = list(chain.from_iterable(chunks))
        took = time.perf_counter() - started
        rows.append(
            {
                "rules": file,
                "flags": len(book.flags),
                "transitions": sum(len(company.replays[0].transitions) for company in replayed),
                "seconds": took,
                "events_per_s": round(EVENTS / took),
                "to_reading_alone": took / reading,
            }
        )
    return rows


def _fill(organization_id: int, now: datetime) -> None:
    """Create companies of very different activity, with all event keys of the rule files."""
    keys = sorted(
        {
            key
            for file in RULE_FILES
            for key, event in read_rules((ROOT / file).read_text(encoding="utf-8")).events.items()
            if event.enabled
        }
    )
    parameters = {
        "org": organization_id,
        "now": now,
        "companies": COMPANIES,
        "events": EVENTS,
        "keys": keys,
        "days": timedelta(days=DAYS + 30),
    }
    with transaction():
        execute("select setseed(0.5)")
        execute(
            "insert into companies (organization_id, external_id, name, first_seen_at,"
            " health_status) select %(org)s, 'r' || n, 'Company ' || n,"
            " %(now)s::timestamptz - %(days)s, 'Healthy' from generate_series(1, %(companies)s) n",
            parameters,
        )
        execute(
            "insert into events (organization_id, event_id, company_id, user_id, event_key,"
            " occurred_at, received_at, data)"
            " select %(org)s, 'r' || e.n, c.id, e.n %% 20,"
            " (%(keys)s::text[])[1 + e.n %% cardinality(%(keys)s::text[])],"
            " %(now)s::timestamptz - random() * %(days)s, %(now)s,"
            " jsonb_build_object('amount', e.n %% 100)"
            " from (select n, floor(power(random(), 2) * %(companies)s) as company"
            " from generate_series(1, %(events)s) n) e"
            " join (select id, row_number() over (order by id) - 1 as place from companies"
            " where organization_id = %(org)s) c on c.place = e.company",
            parameters,
        )
        execute("analyze events")
