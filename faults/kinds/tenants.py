"""What one customer does, or what happens to its rows, that must not delay the others."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg2
import requests

from bench.load.clients import run_clients
from bench.load.generator import Offer
from bench.load.traffic import Traffic
from faults.customers import STORM, STORM_AFTER
from faults.stage import Fault, Stage
from queues.lanes.keys import JOURNAL

LOCKED_SECONDS = 30.0
FLOOD_SECONDS = 15.0
FLOOD_PER_SECOND = 3_300
BATCH = 100
FIELD_NAMES = 100_000
FIELDS_PER_EVENT = 250
STORM_COMPANIES = 10_000
STORM_SECONDS = 20.0

POISON: tuple[dict[Any, Any], ...] = (
    {"1": b"garbage", "t": b"1"},
    {"1": b'{"args": []}', "t": b"1"},
    {"1": b"[1, 2]", "t": b"1"},
    {"1": b'{"event_key": "report", "company": {"id": "none"}}', "t": b"1"},
    {"9": b"of a newer release", "t": b"1"},
)


def _lock_rows(stage: Stage) -> None:
    connection = psycopg2.connect(stage.product.settings.database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select from companies where organization_id = %(id)s"
                " and external_id = any(array['c1', 'c2']) for update",
                {"id": stage.victim.id},
            )
            time.sleep(LOCKED_SECONDS)
        connection.rollback()
    finally:
        connection.close()


def _poison(stage: Stage) -> None:
    client = stage.product.redis
    for partition in range(4):
        lane = f"{stage.victim.id}:{partition}"
        for fields in POISON:
            client.xadd(JOURNAL.entries + lane, fields)
            client.zadd(JOURNAL.ready, {lane: time.time() * 1_000}, nx=True)
    time.sleep(3)


def _flood(stage: Stage) -> None:
    run_clients(
        Offer(
            port=stage.product.port,
            traffic=Traffic((stage.crowd.api_key,), batch=BATCH),
            seconds=FLOOD_SECONDS,
            per_second=FLOOD_PER_SECOND / BATCH,
        )
    )


def _many_fields(stage: Stage) -> None:
    """Send a company with ever new fields, and then about it four times a second."""
    with requests.Session() as session:
        session.headers["x-api-key"] = stage.victim.api_key
        for first in range(0, FIELD_NAMES, FIELDS_PER_EVENT):
            names = range(first, first + FIELDS_PER_EVENT)
            _post_about(session, stage, {f"field_{name}": name for name in names})
        for _ in range(20):
            _post_about(session, stage, {"plan": str(time.time())})
            time.sleep(0.25)


def _post_about(session: requests.Session, stage: Stage, fields: dict[str, object]) -> None:
    session.post(
        f"{stage.product.url}/v1/track",
        json={"event_key": "login", "company": {"id": "wide", "name": "Wide", **fields}},
        timeout=10,
    ).raise_for_status()


def _storm(stage: Stage) -> str:
    """Make the flag of 10,000 companies due at one instant."""
    at = datetime.now(UTC)
    due_at = at + STORM_AFTER

    def post(first: int) -> None:
        events = [
            {
                "event_key": STORM,
                "timestamp": at.isoformat(),
                "company": {"id": f"s{number}", "name": "Storm"},
            }
            for number in range(first, first + BATCH)
        ]
        requests.post(
            f"{stage.product.url}/v1/track/batch",
            headers={"x-api-key": stage.crowd.api_key},
            json={"events": events},
            timeout=30,
        ).raise_for_status()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(post, range(0, STORM_COMPANIES, BATCH)))
    time.sleep((due_at - datetime.now(UTC)).total_seconds() + STORM_SECONDS)
    [(on_time, last)] = stage.product.query(
        "select count(*), max(recorded_at) from transitions"
        " where organization_id = %(id)s and at = %(due_at)s",
        id=stage.crowd.id,
        due_at=due_at,
    )
    if on_time < STORM_COMPANIES:
        raise AssertionError(f"{on_time:,} of {STORM_COMPANIES:,} companies changed at their time")
    return f"the last recorded after {(last - due_at).total_seconds():.1f} s"


FAULTS = [
    Fault(f"two rows locked for {LOCKED_SECONDS:g} s", _lock_rows, isolated=True),
    Fault("five kinds of unreadable entries", _poison, isolated=True, brief=True),
    Fault(f"{FLOOD_PER_SECOND:,} events/s in batches", _flood, isolated=True),
    Fault(f"{FIELD_NAMES:,} field names of one company", _many_fields, isolated=True),
    Fault(f"{STORM_COMPANIES:,} companies due at once", _storm, isolated=True),
]  # fmt: skip
