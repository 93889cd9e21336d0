"""Throughput of the product: of its workers alone, of batches, and of everything together."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bench.load.clients import Clients
from bench.load.generator import Offer, Outcome
from bench.product.backlog import Backlog
from bench.product.processes import Usage
from bench.product.stage import WORKERS, Stage
from bench.timing import fall_per_second

OnTick = Callable[[Clients], object]
"""Called about every 0.1 s while clients post."""

WARM_UP = 4.0
"""Seconds of the same traffic before the whole path is measured."""

WARM_UP_BATCHES = 50
"""The same for batches. When they are stored, every worker has started."""


@dataclass(frozen=True)
class Sustained:
    """A run of the whole path: its throughput, and the resources used before and after."""

    per_second: float
    seconds: float
    outcome: Outcome
    before: dict[str, Usage]
    after: dict[str, Usage]


def stored_and_judged_per_second(stage: Stage) -> float:
    """Measure workers alone, until every queued event is stored and every company evaluated."""
    waiting = stage.backlog.unfinished()
    with stage.workers(*WORKERS):
        fall_per_second(stage.backlog.unfinished, seconds=0.0, check=stage.processes.check)
        left, started = stage.backlog.unfinished(), time.perf_counter()
        stage.drain()
        took = time.perf_counter() - started
    if left * 2 < waiting:
        raise RuntimeError(f"{waiting} messages are too few to measure the workers")
    return left / took


def sustain(stage: Stage, offer: Offer) -> Sustained:
    """Measure the product at the highest rate at which its queues do not grow."""
    with stage.workers(*WORKERS):
        return sustain_with(stage, offer, stage.backlog, stage.post)


def sustain_with(
    stage: Stage, offer: Offer, backlog: Backlog, post: Callable[[Offer, OnTick], Outcome]
) -> Sustained:
    """Measure the processes that are running; clients pause while the backlog is too long.

    The rate is the number of accepted events, over the time until the last is evaluated.
    """
    post(replace(offer, seconds=WARM_UP), backlog.regulate)
    stage.drain(backlog)
    before, started = stage.usage(), time.perf_counter()
    outcome = post(offer, backlog.regulate)
    stage.drain(backlog)
    took = time.perf_counter() - started
    return Sustained(outcome.accepted.total() / took, took, outcome, before, stage.usage())


def batches_per_second(stage: Stage, offer: Offer) -> tuple[float, datetime]:
    """Measure batches until every event is evaluated; also return the time of the first batch."""
    since = datetime.now(UTC)
    with stage.workers(*WORKERS):
        stage.post(replace(offer, requests=WARM_UP_BATCHES))
        stage.drain()
        started = time.perf_counter()
        accepted = stage.post(offer).accepted.total()
        stage.drain()
        return accepted / (time.perf_counter() - started), since
