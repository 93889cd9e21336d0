"""The dashboard's application context: settings, clock, and the objects that keep connections."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from flask import current_app, g

from config.settings import Settings
from models.database import transaction
from models.organizations.organizations import Organization
from queues.broker import QueueBroker
from rules.book import EventSetting, RuleBook
from services.rules.event_acceptance import find_alike
from services.rules.rule_books import NO_RULES, RuleBooks

if TYPE_CHECKING:
    from dashboard.access.sign_in_attempts import SignInAttempts
    from services.accounts.passwords import Passwords

EXTENSION = "brazebee"
"""The key of the context in `app.extensions`."""


@dataclass(frozen=True)
class AppContext:
    """What a running dashboard depends on.

    `clock` returns the current time, UTC. `broker` enqueues messages for the workers, and counts
    the requests of the read API.
    """

    settings: Settings
    clock: Callable[[], datetime]
    sign_in_attempts: "SignInAttempts"
    passwords: "Passwords"
    broker: QueueBroker
    rulebooks: RuleBooks = field(default_factory=RuleBooks)


def app_context() -> AppContext:
    """Return the context of the current application."""
    context: AppContext = current_app.extensions[EXTENSION]
    return context


def now() -> datetime:
    """Return the current time by the application's clock."""
    return app_context().clock()


def rules_in_force(organization: Organization) -> RuleBook | None:
    """Return an organization's current rules, in the current transaction; None if unreadable."""
    return app_context().rulebooks.book_if_readable(organization.id, organization.rules_version)


def event_alike(organization: Organization, name: str) -> EventSetting | None:
    """Return the accepted event of an organization that is spelled like a name that is sent.

    A request reads the rules once for all names.
    """
    if "rules_for_names" not in g:
        with transaction():
            g.rules_for_names = rules_in_force(organization) or NO_RULES
    return find_alike(g.rules_for_names, name)
