"""Brings the database up to date and, when it is new, makes a newcomer's organization."""

from dataclasses import dataclass, field
from pathlib import Path

from actors.rule_changes import apply_rules
from actors.times import utc_now
from cli.rules.files import load_rules
from models import api_keys, organizations
from models.database import transaction
from models.migrations import migrate

DEFAULT_ORGANIZATION = "default"


@dataclass(frozen=True)
class FirstStart:
    """What the first start made, to be shown once; `event_key` is one that is taken, if any."""

    api_key: str = field(repr=False)
    event_key: str | None


def prepare(rules: Path) -> FirstStart | None:
    """Migrate, and on a database without organizations make `default` with a rule file.

    Raises:
        Refused: the rule file cannot be read, or has faults.
    """
    migrate()
    with transaction():
        if organizations.every():
            return None
        file = load_rules(rules)
        organization = organizations.create(DEFAULT_ORGANIZATION)
        applied = apply_rules(
            organization.id,
            file.source,
            file=str(rules),
            applied_by="first start",
            now=utc_now(),
        )
        api_key = api_keys.create(organization.id, "first key")
    event_key = next((key for key, event in applied.book.events.items() if event.enabled), None)
    return FirstStart(api_key, event_key)
