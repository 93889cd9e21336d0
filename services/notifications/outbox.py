"""Adds recorded health changes to the messages that they belong into.

It runs in the transaction that records the changes, so that none is lost and none is announced that
was not recorded. An organization whose rules notify nobody costs one comparison.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.companies.companies import Company
from models.health.transitions import StoredTransition
from models.notifications import outbox
from models.notifications.outbox import MessageKey, NewMessage, NotedChange
from rules.book import RuleBook
from rules.judging.state import Cause, Transition
from rules.notify.entries import OWNER, HealthChange
from rules.notify.notices import CompanyChange, Envelope, envelopes_of
from rules.team import team_values
from services.errors import ServiceError

GRACE = timedelta(seconds=10)
"""How long after its time a digest is closed: changes that were recorded before it may not be
committed yet. What is committed still later is in the next digest."""

MOST_TRIES = 10
"""How often to look for the open message of a key, which others may close at the same time."""


class MessagesClosing(ServiceError):
    """Raised when messages are closed faster than changes can be added; evaluation is repeated."""


@dataclass(frozen=True)
class Notice:
    """A change for one message, without the message's id."""

    envelope: Envelope
    at: datetime
    change: NotedChange


_NO_ID = UUID(int=0)


def notices_of(
    company: Company, stored: StoredTransition, transition: Transition, book: RuleBook
) -> list[Notice]:
    """Return a notice for each message that a transition belongs into.

    A status that was renamed notifies nobody, although it is recorded as a change.
    """
    by_rules = transition.cause is Cause.RULE_CHANGE
    if by_rules and not transition.changes:
        return []
    change = noted_change(stored)
    health_change = HealthChange(
        book.level_of(transition.before),
        book.level_of(transition.after),
        {step.flag: (step.before, step.after) for step in transition.changes},
    )
    fields = fields_of(company)
    return [
        Notice(envelope, stored.recorded_at, change)
        for envelope in envelopes_of(
            book.notify,
            CompanyChange(
                stored.recorded_at,
                health_change,
                fields,
                owner_in(fields, book),
                stored.rules_version if by_rules else None,
            ),
        )
    ]


def noted_change(stored: StoredTransition) -> NotedChange:
    """Return a transition for messages, without the id of one."""
    return NotedChange(
        _NO_ID,
        stored.id,
        stored.company_id,
        stored.at,
        stored.from_status,
        stored.to_status,
        stored.changes,
    )


def fields_of(company: Company) -> dict[str, Any]:
    """Return the fields of a company by which `where` selects."""
    return {**company.traits.custom, **company.traits.core, "id": company.external_id}


def owner_in(fields: Mapping[str, Any], book: RuleBook) -> str | None:
    """Return the owner of the company with these fields, if an entry of `notify` needs it."""
    if not any(OWNER in entry.target.names for entry in book.notify):
        return None
    return team_values(book.team, fields).owner


def save_notices(organization_id: int, notices: Sequence[Notice]) -> None:
    """Add changes of an organization to their open messages, and open those that are missing.

    Raises:
        MessagesClosing: others kept closing one of them.
    """
    missing = {_key(notice.envelope): notice for notice in reversed(notices)}
    keys = sorted(missing, key=lambda key: (*key[:4], key.rules_version or 0))
    ids: dict[MessageKey, UUID] = {}
    for _ in range(MOST_TRIES):
        outbox.open_missing(organization_id, _new_messages(organization_id, keys, missing))
        ids |= outbox.lock_open(organization_id, keys)
        keys = [key for key in keys if key not in ids]
        if not keys:
            break
    else:
        raise MessagesClosing(f"{keys[0].service} of organization {organization_id}")
    outbox.add_changes(
        organization_id,
        [replace(notice.change, message_id=ids[_key(notice.envelope)]) for notice in notices],
    )


def _new_messages(
    organization_id: int, keys: Sequence[MessageKey], first: dict[MessageKey, Notice]
) -> list[NewMessage]:
    """Return messages to open; the one of a digest that was sent already is the next digest."""
    digests = [key for key in keys if first[key].envelope.schedule.digest]
    sent = outbox.find_last_planned(organization_id, digests) if digests else {}
    new = []
    for key in keys:
        notice = first[key]
        schedule = notice.envelope.schedule
        planned = schedule.due(max(notice.at, sent.get(key, notice.at)))
        due = planned + GRACE if schedule.digest else planned
        new.append(NewMessage(key, schedule.zone, notice.at, planned, due))
    return new


def _key(envelope: Envelope) -> MessageKey:
    return MessageKey(
        envelope.service.value,
        envelope.recipient,
        envelope.to_owner,
        str(envelope.schedule),
        envelope.rules_version,
    )
