"""Stores the events of `persist` messages: all of a message in one transaction."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from actors.hold import until_available
from models.database import transaction
from models.events import events
from queues import messages
from queues.backlog import BEHIND
from queues.broker import QueueBroker
from queues.hints import hint_all
from services.events import intake
from services.events.tracked_event import TrackedEvent, UnreadableEvent
from services.rules.rule_books import RuleBooks

logger = logging.getLogger("brazebee.persist")

MANY = 100
"""Events at once, of which the companies are not judged while more wait."""

Sent = tuple[dict[str, Any], TrackedEvent]
"""An event as it was sent, and as it was read."""


class Persisting:
    """The work of the `persist` actor."""

    def __init__(
        self, broker: QueueBroker, rulebooks: RuleBooks, now: Callable[[], datetime]
    ) -> None:
        self._broker = broker
        self._rulebooks = rulebooks
        self._now = now
        self._memory = intake.Memory()

    def persist(self, sent: Sequence[dict[str, Any]]) -> None:
        """Return when each event is stored, or set aside if it never can be."""
        readable = []
        for event in sent:
            try:
                readable.append((event, TrackedEvent.from_message(event)))
            except UnreadableEvent as error:
                _set_aside(event, str(error))
        if readable:
            self._persist(readable)

    def _persist(self, sent: Sequence[Sent]) -> None:
        try:
            until_available(lambda: self._store(sent))
        except Exception as error:  # whatever it is, it must not cost us the events
            if len(sent) > 1:  # most of them can be
                half = len(sent) // 2
                self._persist(sent[:half])
                self._persist(sent[half:])
                return
            logger.exception("an event cannot be stored")
            _set_aside(sent[0][0], f"{type(error).__name__}: {error}")

    def _store(self, sent: Sequence[Sent]) -> None:
        tracked = [event for _, event in sent]
        unsettled = intake.store(tracked, self._rulebooks, self._memory)
        waited = self._now() - min(event.received_at for event in tracked)
        if waited < BEHIND or len(tracked) < MANY:  # else the clock asks, in its time
            hint_all(self._broker, [messages.evaluate(company_id) for company_id in unsettled])


def _set_aside(event: dict[str, Any], reason: str) -> None:
    """Keep what can never be stored as an event where people can find it."""
    logger.error("an event was set aside in rejected_events: %s", reason)
    organization_id = event.get("organization_id") if isinstance(event, dict) else None

    def reject() -> None:
        with transaction():
            known = organization_id if isinstance(organization_id, int) else None
            events.reject(known, event, reason)

    until_available(reject)
