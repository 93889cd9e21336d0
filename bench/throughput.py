"""How much the product takes: its ingress alone, its workers alone, and all of it together."""

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

Look = Callable[[Clients], object]

WARM_UP = 4.0
"""Seconds of the same traffic before the whole path is measured."""

WARM_UP_BATCHES = 50
"""The same for batches: until they are stored, every worker has started."""


@dataclass(frozen=True)
class Sustained:
    """The whole path for a while: events that went through, and what was used for them."""

    per_second: float
    seconds: float
    outcome: Outcome
    before: dict[str, Usage]
    after: dict[str, Usage]


def stored_and_judged_per_second(stage: Stage) -> float:
    """Workers alone, from the queue as it is until nothing is left to store or to judge."""
    waiting = stage.backlog.unfinished()
    with stage.workers(*WORKERS):
        fall_per_second(stage.backlog.unfinished, seconds=0.0, check=stage.processes.check)
        left, started = stage.backlog.unfinished(), time.perf_counter()
        stage.drain()
        took = time.perf_counter() - started
    if left * 2 < waiting:
        raise RuntimeError(f"{waiting} messages are too few to tell how fast they are worked on")
    return left / took


def sustain(stage: Stage, offer: Offer) -> Sustained:
    """The product at the highest rate at which its queues do not grow."""
    with stage.workers(*WORKERS):
        return sustain_with(stage, offer, stage.backlog, stage.post)


def sustain_with(
    stage: Stage, offer: Offer, backlog: Backlog, post: Callable[[Offer, Look], Outcome]
) -> Sustained:
    """The same with whatever processes run: clients are held back as the backlog tells.

    The rate is of the events accepted, over the time until the last is stored and judged.
    """
    post(replace(offer, seconds=WARM_UP), backlog.regulate)
    stage.drain(backlog)
    before, started = stage.usage(), time.perf_counter()
    outcome = post(offer, backlog.regulate)
    stage.drain(backlog)
    took = time.perf_counter() - started
    return Sustained(outcome.accepted.total() / took, took, outcome, before, stage.usage())


def batches_per_second(stage: Stage, offer: Offer) -> tuple[float, datetime]:
    """Events posted in batches until they are stored and judged; and when the first was posted."""
    since = datetime.now(UTC)
    with stage.workers(*WORKERS):
        stage.post(replace(offer, requests=WARM_UP_BATCHES))
        stage.drain()
        started = time.perf_counter()
        accepted = stage.post(offer, look=stage.backlog.regulate).accepted.total()
        stage.drain()
        return accepted / (time.perf_counter() - started), since
