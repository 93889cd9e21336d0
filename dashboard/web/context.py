"""What the dashboard is built of and given: settings, the clock, and what keeps connections."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from flask import current_app

from config.settings import Settings
from models.organizations.organizations import Organization
from queues.broker import QueueBroker
from rules.book import RuleBook
from services.rules.rule_books import RuleBooks

if TYPE_CHECKING:
    from dashboard.access.attempts import Attempts
    from services.accounts.passwords import Passwords

EXTENSION = "brazebee"


@dataclass(frozen=True)
class Parts:
    """What a running dashboard works with.

    `present` tells the present instant. `broker` asks workers for what a change brings along, and
    counts the requests of the read API.
    """

    settings: Settings
    present: Callable[[], datetime]
    attempts: "Attempts"
    passwords: "Passwords"
    broker: QueueBroker
    rulebooks: RuleBooks = field(default_factory=RuleBooks)


def parts() -> Parts:
    """Those of the application at hand."""
    found: Parts = current_app.extensions[EXTENSION]
    return found


def now() -> datetime:
    """The present instant, by the application's clock."""
    return parts().present()


def rules_in_force(organization: Organization) -> RuleBook | None:
    """Those of an organization, within the transaction at hand; None where they are unreadable."""
    return parts().rulebooks.book_if_readable(organization.id, organization.rules_version)
