"""Brings the database up to date and, when it is new, makes a newcomer's organization."""

from dataclasses import dataclass, field

from actors.rule_changes import apply_rules
from actors.times import utc_now
from config.files import HEALTH_RULES
from models import api_keys, organizations
from models.database import transaction
from models.migrations import migrate

DEFAULT_ORGANIZATION = "default"


@dataclass(frozen=True)
class FirstStart:
    """What the first start made, to be shown once."""

    api_key: str = field(repr=False)
    event_key: str


def prepare() -> FirstStart | None:
    """Migrate, and on a database without organizations make `default` with the shipped rules."""
    migrate()
    with transaction():
        if organizations.every():
            return None
        organization = organizations.create(DEFAULT_ORGANIZATION)
        applied = apply_rules(
            organization.id,
            HEALTH_RULES.read_text(encoding="utf-8"),
            file=HEALTH_RULES.name,
            applied_by="first start",
            now=utc_now(),
        )
        api_key = api_keys.create(organization.id, "first key")
    event_key = next(key for key, event in applied.book.events.items() if event.enabled)
    return FirstStart(api_key, event_key)
