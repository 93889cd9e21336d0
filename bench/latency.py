"""Latency of the product: from a client's 200 to the webhook, and of a tenant beside a flood."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
QUIET = "second"
QUIET_PER_SECOND = 100
BATCH = 100
FLOOD_OF_BATCHES = 3_300
"""Events per second of an organization that floods, as in `docs/reliability.md`."""

TURNS = 3


@dataclass(frozen=True)
class Idle:
    """An idle product: milliseconds from 200 to webhook, and percent of one core without work."""

    p50_ms: float
    p99_ms: float
    cpu_percent: float


@dataclass(frozen=True)
class Tenants:
    """The p99 of a quiet organization's requests in milliseconds."""

    alone_ms: float
    beside_ms: float


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that a percentage of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def measure_idle(stage: Stage, *, changes: int, seconds: float) -> Idle:
    """Change the health of companies one after another; then measure CPU for some seconds."""
    with _alarms(stage, "default") as raise_alarms:
        latencies_ms = raise_alarms(changes)
        before = stage.all_usage()
        time.sleep(seconds)
        cpu_seconds = stage.all_usage().cpu_seconds - before.cpu_seconds
    p50_ms, p99_ms = (percentile(latencies_ms, percent) for percent in (50, 99))
    return Idle(p50_ms, p99_ms, 100 * cpu_seconds / seconds)


@contextmanager
def _alarms(stage: Stage, name: str) -> Iterator[Callable[[int], Sequence[float]]]:
    """Run the workers, with a function that changes the health of that many companies.

    They are new, and of the organization with this name. It returns the milliseconds from each
    200 to the webhook.
    """
    arrived: dict[str, float] = {}

    def record_arrival(body: bytes) -> None:
        arrived.setdefault(json.loads(body)["company"]["id"], time.time())

    def raise_alarms(changes: int) -> Sequence[float]:
        answered = _raise_alarms(stage, name, changes)
        deadline = time.monotonic() + MAXIMUM_WAIT
        while not answered.keys() <= arrived.keys() and time.monotonic() < deadline:
            time.sleep(0.05)
        never = time.time() + MAXIMUM_WAIT
        return [(arrived.get(id_, never) - at) * 1000 for id_, at in answered.items()]

    with fast_receiver(record_arrival) as url, stage.workers(*WORKERS):
        endpoint = stage.product.json("webhooks", "add", url, "--org", name)
        yield raise_alarms
        stage.product.run("webhooks", "remove", endpoint["id"], "--org", name)


def _raise_alarms(stage: Stage, name: str, changes: int) -> dict[str, float]:
    """Post an event that changes the health of each new company; return when each was accepted."""
    [tenant] = [tenant for tenant in stage.organizations if tenant.name == name]
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


def measure_tenants(stage: Stage, *, seconds: float) -> Tenants:
    """Measure a quiet organization, alone and beside one that floods.

    Measures each for `seconds`, three times in turn: the p99 of some hundred requests varies, and
    so does the speed of a machine.
    """
    quiet = Offer(
        stage.product.port,
        stage.traffic(QUIET, companies=1_000),
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
    return Tenants(percentile(alone, 99), percentile(beside, 99))


def measure_dwell(stage: Stage, *, changes: int) -> float:
    """Return the p99 in milliseconds from a 200 to the webhook, beside a flood of batches."""
    flood = Offer(
        stage.product.port,
        stage.traffic(FLOODER, companies=1_000, batch=BATCH),
        connections=4,
        seconds=1.5 * changes * PAUSE + UNCOUNTED,  # longer than the changes take
        per_second=FLOOD_OF_BATCHES / BATCH,
    )
    with _alarms(stage, QUIET) as raise_alarms:
        time.sleep(2)  # the workers start
        with Clients(flood, processes=1) as flooding:
            dwell_ms = raise_alarms(changes)
            stage.count_accepted(flood, flooding.outcome())
        stage.drain()
    return percentile(dwell_ms, 99)
