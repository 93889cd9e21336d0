"""Events that are stored, and the rows that they leave."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from models.database import query, transaction
from models.organizations import organizations
from services.events.tracked_event import TrackedEvent
from services.rules.apply_rules import apply_rules

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)

numbers = itertools.count(1)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def event(organization_id: int, at: float = 0, **changed: Any) -> TrackedEvent:
    """An event of the company `acme` that arrives as soon as it happens."""
    contents: dict[str, Any] = {
        "organization_id": organization_id,
        "key_id": None,
        "event_id": f"e{next(numbers)}",
        "event_key": "login",
        "company_id": "acme",
        "company": {"name": "Acme"},
        "user_id": None,
        "user": {},
        "data": None,
        "occurred_at": after(at),
        "received_at": after(at),
    }
    return TrackedEvent(**contents | changed)


def new_organization(name: str = "o", rules: str | None = None) -> int:
    with transaction():
        organization_id = organizations.create(name).id
        if rules:
            apply_rules(
                organization_id, rules, file="rules.yaml", applied_by="test", now=after(-60)
            )
    return organization_id


def rows(sql: str) -> list[dict[str, Any]]:
    with transaction():
        return query(sql)
