"""Events that are stored, and the rows that they leave."""

from typing import Any

from models.database import query, transaction
from services.events.tracked_event import TrackedEvent
from tests.support.events import tracked
from tests.support.world import World, after


def event(organization_id: int, at: float = 0, **changed: Any) -> TrackedEvent:
    """Build an event of the company `acme` that is received when it occurs."""
    return tracked(organization_id, "acme", after(at), **{"company": {"name": "Acme"}, **changed})


def new_organization(name: str | None = None) -> int:
    """Create an organization without rules."""
    return World.create(None, name=name).id


def rows(sql: str) -> list[dict[str, Any]]:
    with transaction():
        return query(sql)
