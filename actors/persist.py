"""Stores the events of `persist` messages: all of a message in one transaction."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from models.database import NOT_SET_UP, UNAVAILABLE, transaction
from models.events import storage
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
            storage.reject(known, event, reason)

    until_available(reject)


logger = logging.getLogger("brazebee.persist")

LONGEST_PAUSE = 2.0
"""Seconds between tries while PostgreSQL is away."""

T = TypeVar("T")
_outage = threading.Lock()


def until_available(work: Callable[[], T]) -> T:
    """Do `work`, again and again while PostgreSQL does not allow it.

    The thread waits in place, so the message stays unacknowledged and the rest stay in the
    queue. If the worker is stopped meanwhile, Redis gives the message to another one.
    """
    pause = 0.1
    told = False
    try:
        while True:
            try:
                return work()
            except (*UNAVAILABLE, *NOT_SET_UP) as error:
                if _outage.acquire(blocking=False):
                    told = True
                    logger.warning("holding events that cannot be stored: %s", str(error).strip())
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
    finally:
        if told:
            _outage.release()
            logger.warning("events can be stored again")
