"""Runs the straightforward implementation, `straightforward.py`, on copies of our tables."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bench.load.clients import run_clients
from bench.load.generator import Offer, Outcome
from bench.product.backlog import Backlog
from bench.product.processes import procfile_line
from bench.product.stage import EventsLost, Stage
from bench.throughput import OnTick, Sustained, sustain_with

DATABASE = 7
"""The database of Redis with its queue."""


def copy_tables(stage: Stage) -> None:
    """Copy our tables for it, with their rows and indexes."""
    query = stage.product.query
    query("create schema straightforward")
    for table in ("companies", "users", "events"):
        query(f"create table straightforward.{table} (like public.{table} including all)")
        [(columns,)] = query(
            "select string_agg(quote_ident(column_name), ', ') from information_schema.columns"
            " where table_schema = 'public' and table_name = %(table)s and is_generated = 'NEVER'",
            table=table,
        )
        query(
            f"insert into straightforward.{table} ({columns}) overriding system value"
            f" select {columns} from public.{table}"
        )
        query(f"vacuum (analyze) straightforward.{table}")
    for table in ("companies", "users"):
        sequence = f"pg_get_serial_sequence('straightforward.{table}', 'id')"
        query(f"select setval({sequence}, (select max(id) from straightforward.{table}))")


def sustain_straightforward(stage: Stage, offer: Offer) -> Sustained:
    """Measure an offer at the highest rate at which the queue does not grow."""
    accepted = 0

    def post(offered: Offer, on_tick: OnTick) -> Outcome:
        nonlocal accepted
        outcome = run_clients(offered, on_tick=on_tick)
        accepted += outcome.accepted.total()
        return outcome

    [(past,)] = stage.product.query("select count(*) from straightforward.events")
    backlog = Backlog(stage.product.servers["REDIS_URL"], DATABASE)
    keys = json.dumps({tenant.key: tenant.id for tenant in stage.organizations})
    with _running(stage, REDIS_URL=backlog.url, BENCH_KEYS=keys) as port:
        sustained = sustain_with(stage, replace(offer, port=port), backlog, post)
    [(stored,)] = stage.product.query("select count(*) from straightforward.events")
    if stored - past != accepted:
        raise EventsLost(
            f"The straightforward implementation stored {stored - past:,} of {accepted:,}"
        )
    return sustained


@contextmanager
def _running(stage: Stage, **environment: str) -> Iterator[int]:
    line = procfile_line("persist").replace("actors.worker", "bench.reference.straightforward")
    stage.processes.start("straightforward", line, **environment)
    with stage.web_server("bench.reference.straightforward:app", **environment) as port:
        yield port
    stage.processes.stop("straightforward")
