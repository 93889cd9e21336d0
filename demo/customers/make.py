"""Makes the customers of the demo: their events go the way of all events, and are judged.

On every processor of this machine. A customer is written in one transaction, so that workers and
the clock of a running product see it whole, or not at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random

from config.settings import Settings
from demo.customers.life import Happening, life
from models.companies import companies
from models.database import transaction
from rules.judging.state import Cause, Transition
from services.events.intake import store
from services.events.tracked_event import TrackedEvent
from services.health.backfill import id_of_time, judge_past
from services.parallel import on_every_processor
from services.rules.rule_books import RuleBooks

CHUNK = 4
"""Customers that are written together: some thousands of events."""


@dataclass(frozen=True)
class Task:
    """Which customers to make for an organization, up to when."""

    organization_id: int
    seed: int
    numbers: Sequence[int]
    now: datetime


def make_all(settings: Settings, task: Task) -> Iterator[int]:
    """Make customers, chunk by chunk in whatever order they are done; how many events each has.

    Raises:
        OperationalError: PostgreSQL cannot be reached.
        BrokenProcessPool: a process of ours was killed.
    """
    numbers = task.numbers
    chunks = [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]
    tasks = [replace(task, numbers=chunk) for chunk in chunks]
    for events in on_every_processor(settings, make, tasks):
        yield from events


def make(task: Task) -> list[int]:
    """Make customers in one transaction; how many events each has."""
    chance = Random(f"{task.seed}/ids/{task.organization_id}/{task.numbers[0]}")
    sent: list[TrackedEvent] = []
    numbers, keys = [], []
    for number in task.numbers:
        account, happenings = life(task.seed, number, task.now)
        keys.append((task.organization_id, account.id))
        numbers.append(len(happenings))
        sent += (tracked(task, account.id, one, chance) for one in happenings)
    rulebooks = _rulebooks()
    with transaction():
        store(sent, rulebooks)
        judge_past(
            task.organization_id,
            list(companies.ids(keys).values()),
            rulebooks,
            task.now,
            recorded_at=lambda transition: _recorded_at(transition, task.now, chance),
            chance=chance,
        )
    return numbers


@cache
def _rulebooks() -> RuleBooks:
    """Those of this process, so that each version is read once."""
    return RuleBooks()


def tracked(task: Task, company_id: str, one: Happening, chance: Random) -> TrackedEvent:
    """A happening as the ingress would have taken it."""
    user = one.user
    received_at = one.at + timedelta(milliseconds=chance.uniform(15, 250))
    return TrackedEvent(
        organization_id=task.organization_id,
        key_id=None,
        event_id=str(id_of_time(received_at, chance)),
        event_key=one.key,
        company_id=company_id,
        company=one.company,
        user_id=user.id if user else None,
        user={"name": user.name, "email": user.email, "role": user.role, "title": user.title}
        if user
        else {},
        data=one.data,
        occurred_at=one.at,
        received_at=min(received_at, task.now),
    )


def _recorded_at(transition: Transition, now: datetime, chance: Random) -> datetime:
    """Some moment after the instant: by an event at once, by time with the clock's next look."""
    ticks = (260, 520) if transition.cause is Cause.TIME else (20, 180)
    return min(transition.at + timedelta(milliseconds=chance.uniform(*ticks)), now)
