"""Records a transition: its row, its webhook deliveries, and a line in the log."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from models.companies.companies import Company
from models.health import transitions
from models.health.transitions import StoredTransition
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import NewDelivery
from rules.book import RuleBook
from rules.judging.state import Transition
from services.times import iso_milliseconds
from services.webhooks.payload import build_payload
from services.webhooks.subscriptions import matches

logger = logging.getLogger("brazebee.health")


def record_transition(
    company: Company,
    transition: Transition,
    book: RuleBook,
    version: int,
    now: datetime,
    new_id: Callable[[], UUID] = uuid7,
) -> list[UUID]:
    """Write a transition and a delivery for each endpoint that subscribes to it.

    Return the ids of the deliveries and increment the company's `sequence`. `new_id` returns ids
    that sort by time.
    """
    company.sequence += 1
    stored = _stored_transition(company, transition, book, version, now, new_id())
    transitions.add(stored)
    if transition.before != transition.after:
        company.previous_status = transition.before
    _log(company, transition, book)
    message_id = f"msg_{stored.id.hex}"
    payload = build_payload(
        message_id=message_id,
        transition=stored,
        company_id=company.external_id,
        company_name=company.name,
        triggers=_triggers(transition, book),
    )
    return [
        deliveries.add(
            NewDelivery(
                company.organization_id,
                endpoint.id,
                stored.id,
                message_id,
                payload,
                paused=endpoint.disabled_at is not None,
            ),
            now,
            new_id,
        )
        for endpoint in webhook_endpoints.lock_subscribed(company.organization_id)
        if matches(endpoint.subscription, stored, company)
    ]


def _stored_transition(
    company: Company,
    transition: Transition,
    book: RuleBook,
    version: int,
    now: datetime,
    transition_id: UUID,
) -> StoredTransition:
    return StoredTransition(
        id=transition_id,
        organization_id=company.organization_id,
        company_id=company.id,
        sequence=company.sequence,
        at=transition.at,
        from_status=transition.before,
        to_status=transition.after,
        cause=str(transition.cause),
        changes=[
            {
                "flag": change.flag,
                "from": book.status_name(change.before),
                "to": book.status_name(change.after),
                "threshold": transition.threshold(book, change.flag, change.after or change.before),
            }
            for change in transition.changes
        ],
        rules_version=version,
        recorded_at=now,
        score=book.score(transition.levels),
    )


def _triggers(transition: Transition, book: RuleBook) -> list[dict[str, str]]:
    """Return the flags that explain a transition: those at the new status, or that recovered."""
    level = book.level_of(transition.after)
    if transition.before == transition.after or not level:
        explaining: Mapping[str, int | None] = {
            change.flag: change.before if not change.after else change.after
            for change in transition.changes
        }
    else:
        explaining = {name: level for name, at in transition.levels.items() if at == level}
    return [
        {
            "flag": name,
            "status": book.status_name(transition.levels.get(name)),
            "threshold": transition.threshold(book, name, raised),
        }
        for name, raised in explaining.items()
    ]


def _log(company: Company, transition: Transition, book: RuleBook) -> None:
    reasons = (transition.describe(book, change) for change in transition.changes)
    if transition.before == transition.after:
        what = f"stays {transition.after}"
    else:
        what = f"{transition.before} -> {transition.after}"
    logger.info(
        "%s (%s): %s at %s by %s [%s]",
        company.name,
        company.external_id,
        what,
        iso_milliseconds(transition.at),
        transition.cause,
        "; ".join(reasons),
    )
