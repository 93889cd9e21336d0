"""The ceilings of a machine: an empty view, an empty actor, bare inserts."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

from bench.load.clients import run_clients
from bench.load.generator import Offer, Outcome
from bench.product.backlog import Backlog
from bench.product.processes import procfile_line
from bench.product.stage import Stage
from bench.timing import fall_per_second

EMPTY_ACTOR_DATABASE = 5
"""The database of Redis for copies of the queue."""

ROWS_PER_STATEMENT = 100
MAXIMUM_ROWS = 100_000


def empty_view(stage: Stage, offer: Offer) -> Outcome:
    """Post an offer to a view that does nothing."""
    with stage.web_server("bench.reference.empty_view:app") as port:
        return run_clients(replace(offer, port=port))


def empty_actor_per_second(stage: Stage, *, seconds: float) -> float:
    """Measure Dramatiq's own broker, with the settings of `persist` and a message per event."""
    copy = Backlog(stage.product.servers["REDIS_URL"], EMPTY_ACTOR_DATABASE)
    stage.backlog.copy_as_messages_to(copy)
    line = procfile_line("persist").replace("actors.worker", "bench.reference.empty_actor")
    stage.processes.start("empty", line, REDIS_URL=copy.url, dramatiq_queue_prefetch="200")
    rate = fall_per_second(copy.unfinished, seconds=seconds, check=stage.processes.check)
    stage.processes.stop("empty")
    copy.clear()
    return rate


def bare_inserts_per_second(stage: Stage, since: datetime, connections: int) -> float:
    """Insert the rows stored since a time again, with nothing else to do."""
    columns = "organization_id, event_id, company_id, user_id, event_key, occurred_at, received_at"
    rows = stage.product.query(
        f"select {columns}, data::text from events where received_at >= %(since)s"
        " and event_id not like 'past-%%' limit %(limit)s",
        since=since, limit=MAXIMUM_ROWS,
    )  # fmt: skip
    stage.product.query("create table bare_events (like events including all)")
    shares = [rows[index::connections] for index in range(connections)]
    inserting = [
        threading.Thread(target=_insert, args=(stage.product.servers["DATABASE_URL"], share))
        for share in shares
    ]
    started = time.perf_counter()
    for thread in inserting:
        thread.start()
    for thread in inserting:
        thread.join()
    took = time.perf_counter() - started
    stage.product.query("drop table bare_events")
    return len(rows) / took


def _insert(url: str, rows: Sequence[tuple[Any, ...]]) -> None:
    connection = psycopg2.connect(url)
    for first in range(0, len(rows), ROWS_PER_STATEMENT):
        with connection, connection.cursor() as cursor:
            part = rows[first : first + ROWS_PER_STATEMENT]
            execute_values(
                cursor, "insert into bare_events values %s", part, page_size=ROWS_PER_STATEMENT
            )
    connection.close()
