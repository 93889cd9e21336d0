"""Records transitions: their rows, their webhook deliveries, and a line each in the log."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from models.companies.companies import Company
from models.health import transitions
from models.health.transitions import StoredTransition
from models.webhooks import webhook_endpoints
from models.webhooks.deliveries import NewDelivery, Request
from models.webhooks.webhook_endpoints import Endpoint
from rules.book import RuleBook
from rules.judging.state import Cause, FlagChange, Transition
from rules.wording.change_reasons import change_reason
from services.notifications.outbox import Notice, notices_of, save_notices
from services.times import iso_milliseconds
from services.webhooks.new_deliveries import write_new
from services.webhooks.payload import build_payload
from services.webhooks.subscriptions import matches

logger = logging.getLogger("brazebee.health")


class TransitionRecorder:
    """Collects transitions of an organization, and writes them with what is to be sent at once."""

    def __init__(self, organization_id: int) -> None:
        self._organization_id = organization_id
        self._recorded: list[_Recorded] = []
        self._silent: list[StoredTransition] = []
        self._notices: list[Notice] = []

    def record(
        self,
        company: Company,
        transition: Transition,
        book: RuleBook,
        version: int,
        now: datetime,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        """Add a transition and increment its company's `sequence`.

        `new_id` returns ids that sort by time, for the transition and its deliveries.
        """
        stored = self._add(company, transition, book, version, now, new_id())
        _log(company, transition, book)
        if book.notify:
            self._notices += notices_of(company, stored, transition, book)
        self._recorded.append(_Recorded(company, stored, _triggers(transition, book), new_id))

    def record_imported(
        self,
        company: Company,
        transition: Transition,
        book: RuleBook,
        version: int,
        now: datetime,
    ) -> None:
        """Add a transition of the past as `record` does, which nobody is notified of."""
        imported = replace(transition, cause=Cause.IMPORT)
        self._silent.append(self._add(company, imported, book, version, now, uuid7()))

    def _add(
        self,
        company: Company,
        transition: Transition,
        book: RuleBook,
        version: int,
        now: datetime,
        transition_id: UUID,
    ) -> StoredTransition:
        company.sequence += 1
        if transition.before != transition.after:
            company.previous_status = transition.before
        return stored_transition(company, transition, book, version, now, transition_id)

    def save(self) -> list[Request]:
        """Write the transitions, their notifications, and a delivery for each subscribed endpoint.

        Return the attempts to make now; the other deliveries wait for their turn.
        """
        transitions.add_all(self._silent)
        if not self._recorded:
            return []
        transitions.add_all([recorded.stored for recorded in self._recorded])
        if self._notices:
            save_notices(self._organization_id, self._notices)
        endpoints = webhook_endpoints.lock_subscribed(self._organization_id)
        return write_new(
            [new for recorded in self._recorded for new in _deliveries(recorded, endpoints)]
        )


@dataclass(frozen=True)
class _Recorded:
    company: Company
    stored: StoredTransition
    triggers: Sequence[dict[str, str]]
    new_id: Callable[[], UUID]


def _deliveries(recorded: _Recorded, endpoints: Sequence[Endpoint]) -> list[NewDelivery]:
    company, stored = recorded.company, recorded.stored
    subscribed = [e for e in endpoints if matches(e.subscription, stored, company)]
    if not subscribed:
        return []
    message_id = f"msg_{stored.id.hex}"
    payload = build_payload(
        message_id=message_id,
        transition=stored,
        company_id=company.external_id,
        company_name=company.name,
        triggers=recorded.triggers,
    )
    return [
        NewDelivery(
            stored.organization_id,
            endpoint.id,
            stored.id,
            message_id,
            payload,
            created_at=stored.recorded_at,
            paused=endpoint.disabled_at is not None,
            id=recorded.new_id(),
        )
        for endpoint in subscribed
    ]


def stored_transition(
    company: Company,
    transition: Transition,
    book: RuleBook,
    version: int,
    now: datetime,
    transition_id: UUID,
) -> StoredTransition:
    """Return the row of a transition, with the `sequence` that its company has."""
    return StoredTransition(
        id=transition_id,
        organization_id=company.organization_id,
        company_id=company.id,
        sequence=company.sequence,
        at=transition.at,
        from_status=transition.before,
        to_status=transition.after,
        cause=str(transition.cause),
        changes=[_change_json(transition, change, book) for change in transition.changes],
        rules_version=version,
        recorded_at=now,
        score=book.score(transition.levels),
    )


def _change_json(transition: Transition, change: FlagChange, book: RuleBook) -> dict[str, Any]:
    """Return a flag's change; `reason` is why in a few words, if its own level changed."""
    json = {
        "flag": change.flag,
        "from": book.status_name(change.before),
        "to": book.status_name(change.after),
        "threshold": transition.threshold(book, change.flag, change.after or change.before),
    }
    reason = change_reason(book, transition, change)
    return json | {"reason": reason} if reason else json


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
