"""Claims due messages: closes those that are open, and leases each for one attempt.

A destination is sent to one message at a time: it is blocked while an attempt is in progress, for
as long as it asks to, and for longer and longer while it fails. Changes that are recorded meanwhile
are added to the open messages, and so many of them make few messages.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from config.webhook_policy import LEASE
from models.companies import pending_evaluation
from models.database import transaction
from models.notifications import destinations, messages
from models.notifications.destinations import Destination
from models.notifications.messages import Message, State
from models.organizations import organizations
from models.organizations.organizations import Organization
from models.people import people
from rules.notify.entries import Service
from services.accounts import owners
from services.notifications.composing import compose_now
from services.notifications.content import Content
from services.rules.rule_books import RuleBooks

logger = logging.getLogger("brazebee.notifications")

LONGEST_RULE_CHANGE = timedelta(hours=1)
"""How long a message about a change of rules waits for companies that are still to be judged."""

LOOK_AGAIN = timedelta(seconds=3)

TEST_WAITS = timedelta(seconds=1)
"""A test waits for the second between two messages, and not for longer pauses after failures."""

NOT_NOW = "another message is being sent, or the destination takes none"


@dataclass(frozen=True)
class ClaimedMessage:
    """A message under a lease, what it says, and where it goes.

    `destination` is None for an email, which goes to `address`.
    """

    message: Message
    token: UUID
    content: Content
    destination: Destination | None
    address: str | None


def claim(
    organization_id: int, message_id: UUID, rulebooks: RuleBooks, now: datetime
) -> ClaimedMessage | None:
    """Claim a due message, in a transaction of its own; None if it is not its turn."""
    with transaction():
        seen = messages.find(organization_id, message_id)
        organization = organizations.find_by_id(organization_id)
        if seen is None or organization is None:
            return None
        by_email = seen.service == Service.EMAIL
        # The destination is locked first, as where outcomes are recorded.
        destination = (
            None if by_email
            else destinations.lock_named(organization_id, seen.service, seen.recipient)
        )  # fmt: skip
        message = messages.lock(organization_id, message_id)
        if message is None or not _is_due(message, now):
            return None
        recipient = None
        if by_email:
            recipient = _recipient_of(message)
            if recipient is None:
                messages.give_up(message, _no_address(message), now)
                logger.warning("message %s is given up: its owner has no email address", message.id)
                return None
        elif not _has_its_turn(message, destination, now):
            return None
        if _must_wait_for_rules(message, now):
            messages.postpone(message, now + LOOK_AGAIN)
            return None
        zone = message.zone or (recipient and recipient.zone) or "UTC"
        content = _content(message, organization, rulebooks, zone)
        if destination is not None:
            destinations.block(destination, now + LEASE)
        token = messages.lease(message, now)
        address = recipient.address if recipient else None
        return ClaimedMessage(message, token, content, destination, address)


def _is_due(message: Message, now: datetime) -> bool:
    if message.state not in (State.OPEN, State.WAITING) or message.is_leased(now):
        return False
    return message.due_at is not None and message.due_at <= now


def _has_its_turn(message: Message, destination: Destination | None, now: datetime) -> bool:
    """Whether a destination can be sent to; otherwise the message is paused or postponed."""
    if destination is None:
        error = f"there is no destination `{message.recipient}`"
        messages.postpone(message, None, error)
        return False
    if message.is_test and _may_be_tested(destination, now):
        return True
    if message.is_test:
        not_now = f"{NOT_NOW} before {destination.blocked_until:%H:%M:%S} UTC"
        messages.postpone(message, now + TEST_WAITS, not_now)
        return False
    if destination.disabled_at is not None:
        messages.postpone(message, None, f"disabled: {destination.disabled_because}")
        return False
    if destination.blocked_until is not None and destination.blocked_until > now:
        messages.postpone(message, destination.blocked_until)
        return False
    return True


def _may_be_tested(destination: Destination, now: datetime) -> bool:
    """Whether a test can be sent: no other message was sent within the last second.

    A destination that does not fail is blocked for that second, and while an attempt is in
    progress; one that fails also for pauses, and is tested meanwhile.
    """
    until = destination.blocked_until
    if until is None or until <= now:
        return True
    return bool(destination.failures) and until > now + TEST_WAITS


def _must_wait_for_rules(message: Message, now: datetime) -> bool:
    """Whether an open message about a change of rules waits for further companies."""
    if message.state is not State.OPEN or message.rules_version is None:
        return False
    if now >= message.opened_at + LONGEST_RULE_CHANGE:
        return False
    return bool(
        pending_evaluation.find_outdated(message.organization_id, message.rules_version, limit=1)
    )


def _content(
    message: Message, organization: Organization, rulebooks: RuleBooks, zone: str
) -> Content:
    """Return what a message says; an open one is closed."""
    if message.content is not None:
        return Content.from_json(message.content)
    content, number = compose_now(message, organization, rulebooks, zone)
    messages.close(message, content.as_json(), number)
    return content


@dataclass(frozen=True)
class _Recipient:
    """An address, and the time zone of its person if that is known."""

    address: str
    zone: str | None = None


def _recipient_of(message: Message) -> _Recipient | None:
    """Return who an email goes to; None if nobody may be written to."""
    if not message.to_owner:
        return _Recipient(message.recipient)
    person = owners.find_person(message.organization_id, message.recipient)
    if person is not None:
        return _Recipient(person.email, person.time_zone)
    if "@" not in message.recipient:
        return None
    known = people.find(message.recipient)
    return None if known and known.disabled_at else _Recipient(message.recipient)


def _no_address(message: Message) -> str:
    return f"the owner `{message.recipient}` is no member and no email address; see People"
