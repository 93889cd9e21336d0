"""Latency of the product: from a client's 200 to the webhook, and of a tenant beside a flood."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from bench.load.clients import Clients
from bench.load.generator import Connection, Offer
from bench.load.receivers import fast_receiver
from bench.load.traffic import Request, post
from bench.product.history import ALARM
from bench.product.stage import FLOODER, FLOODER_PER_SECOND, WORKERS, Stage

PAUSE = 0.1
UNCOUNTED = 3
"""Changes that are not counted, because the workers have just started."""

MAXIMUM_WAIT = 30.0
QUIET_PER_SECOND = 100
TURNS = 3


@dataclass(frozen=True)
class Idle:
    """An idle product: milliseconds from 200 to webhook, and percent of one core without work."""

    p50_ms: float
    p99_ms: float
    cpu_percent: float


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that a percentage of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def measure_idle(stage: Stage, *, changes: int, seconds: float) -> Idle:
    """Change the health of companies one after another; then measure CPU for some seconds."""
    arrived: dict[str, float] = {}

    def record_arrival(body: bytes) -> None:
        arrived.setdefault(json.loads(body)["company"]["id"], time.time())

    with fast_receiver(record_arrival) as url, stage.workers(*WORKERS):
        stage.product.json("webhooks", "add", url)
        answered = _raise_alarms(stage, changes)
        deadline = time.monotonic() + MAXIMUM_WAIT
        while not answered.keys() <= arrived.keys() and time.monotonic() < deadline:
            time.sleep(0.05)
        before = stage.all_usage()
        time.sleep(seconds)
        cpu_seconds = stage.all_usage().cpu_seconds - before.cpu_seconds
    never = deadline - time.monotonic() + MAXIMUM_WAIT
    latencies_ms = [(arrived.get(id_, at + never) - at) * 1000 for id_, at in answered.items()]
    p50_ms, p99_ms = (percentile(latencies_ms, percent) for percent in (50, 99))
    return Idle(p50_ms, p99_ms, 100 * cpu_seconds / seconds)


def _raise_alarms(stage: Stage, changes: int) -> dict[str, float]:
    """Post an event that changes the health of each new company; return when each was accepted."""
    [tenant, *_] = stage.organizations
    answered = {}
    connection = Connection(stage.product.port)
    for number in range(-UNCOUNTED, changes):
        company = {"id": f"alarmed{number}", "name": "Alarmed"}
        event = orjson.dumps({"event_key": ALARM, "company": company})
        connection.send(Request(0, post("/v1/track", tenant.key, event)))
        while (answer := connection.receive()) is None:
            continue
        if answer[0] != 200:
            raise RuntimeError(f"an event was not accepted: {answer}")
        stage.accepted[tenant.id] += 1
        if number >= 0:
            answered[company["id"]] = time.time()
        time.sleep(1.0 if number < 0 else PAUSE)
    connection.socket.close()
    return answered


def measure_tenants(stage: Stage, *, seconds: float) -> tuple[float, float]:
    """Return the p99 in milliseconds of a quiet organization, alone and beside a flood.

    Measures each for `seconds`, three times in turn: the p99 of some hundred requests varies, and
    so does the speed of a machine.
    """
    quiet = Offer(
        stage.product.port,
        stage.traffic("second", companies=1_000),
        connections=2,
        seconds=seconds,
        per_second=QUIET_PER_SECOND,
        warm_up=1.0,
    )
    flood = replace(
        quiet,
        traffic=stage.traffic(FLOODER, companies=1_000),
        connections=4,
        seconds=quiet.seconds + 2,
        per_second=2 * FLOODER_PER_SECOND,
    )
    alone: list[float] = []
    beside: list[float] = []
    with stage.workers(*WORKERS):
        time.sleep(2)  # the workers start
        for _ in range(TURNS):
            alone += stage.post(quiet).latencies_ms
            with Clients(flood, processes=1) as flooding:
                beside += stage.post(quiet).latencies_ms
                stage.count_accepted(flood, flooding.outcome())
            stage.drain()
    return percentile(alone, 99), percentile(beside, 99)
