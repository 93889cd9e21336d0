"""How soon the product does its work: from a client's 200 to the webhook, and for whom it waits."""

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
FIRST = 3
"""Changes that find workers that have just started, and are not counted."""

LONGEST_WAIT = 30.0
QUIET_PER_SECOND = 100
TURNS = 3


@dataclass(frozen=True)
class Idle:
    """An idle product: milliseconds from 200 to webhook, and percent of one core without work."""

    p50_ms: float
    p99_ms: float
    cpu_percent: float


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of all do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def measure_idle(stage: Stage, *, changes: int, seconds: float) -> Idle:
    """Change the health of companies one after another; then do nothing for some seconds."""
    heard: dict[str, float] = {}

    def hear(body: bytes) -> None:
        heard.setdefault(json.loads(body)["company"]["id"], time.time())

    with fast_receiver(hear) as url, stage.workers(*WORKERS):
        stage.product.json("webhooks", "add", url)
        answered = _raise_alarms(stage, changes)
        deadline = time.monotonic() + LONGEST_WAIT
        while not answered.keys() <= heard.keys() and time.monotonic() < deadline:
            time.sleep(0.05)
        before = stage.all_usage()
        time.sleep(seconds)
        spent = stage.all_usage().cpu_seconds - before.cpu_seconds
    never = deadline - time.monotonic() + LONGEST_WAIT
    waited = [(heard.get(one, at + never) - at) * 1000 for one, at in answered.items()]
    return Idle(percentile(waited, 50), percentile(waited, 99), 100 * spent / seconds)


def _raise_alarms(stage: Stage, changes: int) -> dict[str, float]:
    """Post an event that changes its company's health, for new companies; when each was taken."""
    [tenant, *_] = stage.organizations
    answered = {}
    connection = Connection(stage.product.port)
    for number in range(-FIRST, changes):
        company = {"id": f"alarmed{number}", "name": "Alarmed"}
        event = orjson.dumps({"event_key": ALARM, "company": company})
        connection.send(Request(0, post("/v1/track", tenant.key, event)))
        while (answer := connection.receive()) is None:
            continue
        if answer[0] != 200:
            raise RuntimeError(f"an event was not taken: {answer}")
        stage.accepted[tenant.id] += 1
        if number >= 0:
            answered[company["id"]] = time.time()
        time.sleep(1.0 if number < 0 else PAUSE)
    connection.socket.close()
    return answered


def measure_tenants(stage: Stage, *, seconds: float) -> tuple[float, float]:
    """p99 in milliseconds of a quiet organization, alone and beside one that floods.

    Each lasts so many seconds, thrice. The two take turns, since a p99 of some hundred requests
    moves by itself, and so does a machine.
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
        time.sleep(2)  # they start
        for _ in range(TURNS):
            alone += stage.post(quiet).latencies_ms
            with Clients(flood, processes=1) as flooding:
                beside += stage.post(quiet).latencies_ms
                stage.note(flood, flooding.outcome())
            stage.drain()
    return percentile(alone, 99), percentile(beside, 99)
