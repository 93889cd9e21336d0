"""Stores the events of `persist` messages, all of a message in one transaction."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from models.companies.fields.field_digests import RowGone
from models.database import NOT_SET_UP, UNAVAILABLE, transaction
from models.events import storage
from queues import messages
from queues.backlog import BEHIND
from queues.best_effort import enqueue_best_effort
from queues.broker import QueueBroker
from services.events import intake
from services.events.intake import IntakeCaches
from services.events.tracked_event import TrackedEvent, UnreadableEvent
from services.rules.rule_books import RuleBooks

logger = logging.getLogger("brazebee.persist")

LARGE_BUNDLE = 100
"""Bundles of at least this many events leave evaluation to the clock during a backlog."""

MAX_PAUSE_S = 2.0
"""The longest pause between attempts while PostgreSQL is unavailable."""


class EventPersister:
    """The work of the `persist` actor."""

    def __init__(
        self, broker: QueueBroker, rulebooks: RuleBooks, now: Callable[[], datetime]
    ) -> None:
        self._broker = broker
        self._rulebooks = rulebooks
        self._now = now
        self._caches = IntakeCaches()

    def persist(self, contents: Sequence[dict[str, Any]]) -> None:
        """Store the events of a message; set aside those that can never be stored."""
        readable = []
        for content in contents:
            try:
                readable.append((content, TrackedEvent.from_message(content)))
            except UnreadableEvent as error:
                _set_aside(content, str(error))
        if readable:
            self._persist(readable)

    def _persist(self, readable: Sequence[tuple[dict[str, Any], TrackedEvent]]) -> None:
        """Store events, each with its content in the message."""
        events = [event for _, event in readable]
        try:
            retry_while_unavailable(lambda: self._store(events))
        except Exception as error:  # one faulty event must not cost the others
            if len(readable) > 1:  # most of them can be stored
                half = len(readable) // 2
                self._persist(readable[:half])
                self._persist(readable[half:])
                return
            logger.exception("an event cannot be stored")
            _set_aside(readable[0][0], f"{type(error).__name__}: {error}")

    def _store(self, events: Sequence[TrackedEvent]) -> None:
        unsettled = store_in_transaction(events, self._rulebooks, self._caches)
        waited = self._now() - min(event.received_at for event in events)
        if waited < BEHIND or len(events) < LARGE_BUNDLE:
            enqueue_best_effort(
                self._broker, [messages.evaluate(company_id) for company_id in unsettled]
            )


def store_in_transaction(
    events: Sequence[TrackedEvent], rulebooks: RuleBooks, caches: IntakeCaches | None = None
) -> list[int]:
    """Store events as `intake.store` does, and once more if a cached id belongs to a deleted row.

    Raises:
        OperationalError, InterfaceError: PostgreSQL is unavailable; nothing was stored.
    """
    caches = caches or IntakeCaches()
    try:
        with transaction():
            return intake.store(events, rulebooks, caches)
    except RowGone:
        caches.ids.clear()
        with transaction():
            return intake.store(events, rulebooks, caches)


def _set_aside(content: dict[str, Any], reason: str) -> None:
    """Keep what can never be stored as an event in `rejected_events`."""
    logger.error("an event was set aside in rejected_events: %s", reason)
    organization_id = content.get("organization_id") if isinstance(content, dict) else None

    def reject() -> None:
        with transaction():
            valid_id = organization_id if isinstance(organization_id, int) else None
            storage.reject(valid_id, content, reason)

    retry_while_unavailable(reject)


T = TypeVar("T")
_outage = threading.Lock()
"""Held by the thread that logs an outage, so that a process logs it once."""


def retry_while_unavailable(work: Callable[[], T]) -> T:
    """Do `work`, and repeat it while PostgreSQL is unavailable or its schema is not up to date.

    The thread waits, so its message stays unacknowledged and the others stay in the queue. If the
    worker is stopped meanwhile, Redis gives the message to another one.
    """
    pause = 0.1
    logs_outage = False
    try:
        while True:
            try:
                return work()
            except (*UNAVAILABLE, *NOT_SET_UP) as error:
                if _outage.acquire(blocking=False):
                    logs_outage = True
                    logger.warning("events cannot be stored and wait: %s", str(error).strip())
                time.sleep(pause)
                pause = min(2 * pause, MAX_PAUSE_S)
    finally:
        if logs_outage:
            _outage.release()
            logger.warning("events can be stored again")
