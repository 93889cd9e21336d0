"""Generates the customers of the demo, on every processor of this machine.

Events are stored and evaluated with the same code as live ones. Each customer is written in one
transaction, so that workers and the clock of a running product see all of it, or nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random

from config.settings import Settings
from demo.customers.history import DemoEvent, generate_history
from demo.customers.organization import APPLIED_BY
from demo.customers.outcomes import DemoOutcome, outcomes_of
from demo.team.work import work_on_items
from models.companies import companies
from models.database import transaction
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome
from rules.judging.state import Cause, Transition
from services.events.intake import store
from services.events.tracked_event import TrackedEvent
from services.health.backfill import judge_history, uuid7_at
from services.parallel import on_every_processor
from services.rules.rule_books import RuleBooks

CHUNK = 4
"""Customers in a transaction: some thousands of events."""


@dataclass(frozen=True)
class GenerationTask:
    """Which customers to generate for an organization, with events up to `now`."""

    organization_id: int
    seed: int
    numbers: Sequence[int]
    now: datetime


def generate_all(settings: Settings, task: GenerationTask) -> Iterator[int]:
    """Generate customers in chunks; yield the number of events of each, in order of completion.

    Raises:
        OperationalError: PostgreSQL cannot be reached.
        BrokenProcessPool: a child process was killed.
    """
    numbers = task.numbers
    chunks = [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]
    tasks = [replace(task, numbers=chunk) for chunk in chunks]
    for events in on_every_processor(settings, generate, tasks):
        yield from events


def generate(task: GenerationTask) -> list[int]:
    """Generate customers in one transaction; return the number of events of each."""
    chance = Random(f"{task.seed}/ids/{task.organization_id}/{task.numbers[0]}")
    tracked_events: list[TrackedEvent] = []
    sizes, ids = [], []
    became: dict[str, list[DemoOutcome]] = {}
    for number in task.numbers:
        account, events = generate_history(task.seed, number, task.now)
        ids.append(account.id)
        sizes.append(len(events))
        became[account.id] = outcomes_of(task.seed, number, account, events, task.now)
        tracked_events += (as_tracked(task, account.id, event, chance) for event in events)
    rulebooks = _rulebooks()
    with transaction():
        store(tracked_events, rulebooks)
        company_ids = list(companies.find_ids(task.organization_id, ids).values())
        judge_history(
            task.organization_id,
            company_ids,
            rulebooks,
            task.now,
            recorded_at=lambda transition: _recorded_at(transition, task.now, chance),
            chance=chance,
        )
        _enter_outcomes(task, became)
        work_on_items(task.organization_id, company_ids, task.now, chance)
    return sizes


def _enter_outcomes(task: GenerationTask, became: Mapping[str, Sequence[DemoOutcome]]) -> None:
    rows = companies.find_ids(task.organization_id, became)
    new = [
        NewOutcome(rows[company], outcome.kind, outcome.day, outcome.amount, outcome.note)
        for company, entered in became.items()
        for outcome in entered
    ]
    outcomes.enter(task.organization_id, new, APPLIED_BY, task.now)


@cache
def _rulebooks() -> RuleBooks:
    """Return the rule books of this process, so that each version is read once."""
    return RuleBooks()


def as_tracked(
    task: GenerationTask, company_id: str, event: DemoEvent, chance: Random
) -> TrackedEvent:
    """Return an event as the ingress would have accepted it."""
    user = event.user
    received_at = event.at + timedelta(milliseconds=chance.uniform(15, 250))
    return TrackedEvent(
        organization_id=task.organization_id,
        key_id=None,
        event_id=str(uuid7_at(received_at, chance)),
        event_key=event.key,
        company_id=company_id,
        company=event.company,
        user_id=user.id if user else None,
        user={"name": user.name, "email": user.email, "role": user.role, "title": user.title}
        if user
        else {},
        data=event.data,
        occurred_at=event.at,
        received_at=min(received_at, task.now),
    )


def _recorded_at(transition: Transition, now: datetime, chance: Random) -> datetime:
    """Choose when a transition is recorded: soon after an event, else at the clock's next tick."""
    ticks = (260, 520) if transition.cause is Cause.TIME else (20, 180)
    return min(transition.at + timedelta(milliseconds=chance.uniform(*ticks)), now)
