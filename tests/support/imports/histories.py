"""Events of the past, imported into a `World`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.events.tracked_event import TrackedEvent
from services.health.history import QUIET
from tests.support.world import Time, World


def past(world: World, *events: TrackedEvent, at: Time) -> list[TrackedEvent]:
    """Return events as historical ones that arrived at a time."""
    return [event._replace(historical=True, received_at=world.at(at)) for event in events]


def import_past(world: World, events: Sequence[TrackedEvent], at: Time) -> None:
    """Store events of the past that arrive at a time, and judge when no more arrive."""
    world.store(*past(world, *events, at=at))
    world.judge(at=world.at(at) + QUIET)


def send_live(world: World, events: Sequence[TrackedEvent], until: Time) -> None:
    """Store events one after another, each judged as it occurs, and judge at last at a time."""
    for event in sorted(events, key=lambda event: event.occurred_at):
        world.store(event)
        world.judge(event.company_id, event.occurred_at)
    world.judge(at=until)


def recorded(world: World, company: str = "acme") -> list[tuple[Any, ...]]:
    """Return what a company's transitions say, without how they came about."""
    return [
        (world.seconds(t.at), t.from_status, t.to_status, t.changes, t.rules_version, t.score)
        for t in world.transitions(company)
    ]


MOMENT = timedelta(seconds=QUIET.total_seconds() / 2)
"""A moment in which more events of the past may arrive."""
