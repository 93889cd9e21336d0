"""Stores the events of the journal: each bundle in one transaction, in the order of acceptance."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import orjson
from redis.exceptions import RedisError

from actors.locked_companies import find_kept_locked
from config.safe_logs import describe
from models.companies import companies
from models.companies.fields.field_digests import RowGone
from models.database import (
    NOT_SET_UP,
    UNAVAILABLE,
    is_lock_timeout,
    is_refusal,
    transaction,
)
from models.events import storage
from queues.backlog import BEHIND
from queues.broker import QueueBroker
from queues.lanes.lane import Lane
from queues.lanes.lane_queue import HELD_PAUSE_SECONDS, Bundle, LaneQueue
from services.events import intake
from services.events.intake import IntakeCaches
from services.events.tracked_event import TrackedEvent, UnreadableEvent
from services.rules.rule_books import RuleBooks

logger = logging.getLogger("brazebee.persist")

LARGE_BUNDLE = 100
"""Bundles of at least this many events leave evaluation to the clock during a backlog."""

MAX_PAUSE_S = 2.0
"""The longest pause between attempts while PostgreSQL or Redis is unavailable."""

POSTPONED_S = 1.0
"""The pause before a bundle is tried again that cannot be stored for an unknown reason."""


class LeaseOver(Exception):
    """Raised when another worker may have taken the lane."""


@dataclass(frozen=True)
class _Entry:
    """An event as it was in the queue, and read.

    `id` and `bundle` are where it is in the journal, unless a process of the release before sent
    it.
    """

    content: Any
    event: TrackedEvent
    id: str = ""
    bundle: Bundle | None = None


class EventPersister:
    """The work of the actors `store` and `persist`."""

    def __init__(
        self, broker: QueueBroker, rulebooks: RuleBooks, now: Callable[[], datetime]
    ) -> None:
        self._evaluations = broker.evaluations
        self._journal = LaneQueue.of_events(broker.client)
        self._rulebooks = rulebooks
        self._now = now
        self._caches = IntakeCaches()

    def store(self, bundles: Sequence[Bundle]) -> None:
        """Store the events of bundles of one organization and remove them from the journal.

        What can never be stored is set aside. If a company's row is locked for long, its events
        move into a lane of their own. If anything else prevents storing, a bundle stays in the
        journal and is tried again after a pause. Nothing is raised: Dramatiq would log the events.
        """
        lanes = []
        for bundle in bundles:
            with self._postponing(bundle):
                lanes.append((bundle, self._movable(bundle, self._read(bundle))))
        if len(lanes) > 1 and self._stored_together(lanes):
            return
        for bundle, entries in lanes:
            with self._postponing(bundle):
                self._store_in_parts(
                    entries,
                    wait=partial(self._extend, bundle),
                    locked=partial(self._hold_locked, bundle),
                )
                self._remove(bundle)

    def _stored_together(self, lanes: Sequence[tuple[Bundle, Sequence[_Entry]]]) -> bool:
        """Store several lanes in one transaction; False if that is not possible."""
        bundles = [bundle for bundle, _ in lanes]

        def extend() -> None:
            for bundle in bundles:
                self._extend(bundle)

        try:
            retry_while_unavailable(
                lambda: self._store([entry.event for _, entries in lanes for entry in entries]),
                extend,
                may_wait_for_locks=False,
            )
            self._remove(*bundles)
        except Exception as error:  # noqa: BLE001 -- each lane is stored on its own
            logger.info("lanes are stored one by one: %s", describe(error))
            return False
        return True

    @contextmanager
    def _postponing(self, bundle: Bundle) -> Iterator[None]:
        """Leave a bundle in the journal if it cannot be stored, for others or for later."""
        try:
            yield
        except LockTimeout:
            held = bundle.lane.company is not None
            self._postpone(bundle, HELD_PAUSE_SECONDS if held else 0)
        except LeaseOver:
            logger.warning("the lease of lane %s is over; others continue", bundle.lane.name)
        except Exception as error:  # noqa: BLE001 -- Dramatiq would log the events
            logger.error(  # noqa: TRY400 -- a traceback has the values of rows
                "%r waits in the journal: %s", bundle, describe(error)
            )
            self._postpone(bundle, POSTPONED_S)

    def persist(self, contents: Sequence[Any]) -> None:
        """Store the events of a message of the release before.

        What can be neither stored nor set aside moves into the journal, where it delays its
        partition alone.
        """
        entries: dict[int, list[_Entry]] = {}
        for content in contents:
            try:
                event = TrackedEvent.from_message(content)
            except UnreadableEvent as error:
                self._set_aside(content, error, _claimed_organization(content))
            else:
                entries.setdefault(event.organization_id, []).append(_Entry(content, event))
        for of_organization in entries.values():
            try:
                self._store_in_parts(of_organization)
            except Exception as error:  # noqa: BLE001 -- Dramatiq would drop the events
                logger.error(  # noqa: TRY400 -- a traceback says no more
                    "%d events move into the journal: %s", len(of_organization), describe(error)
                )
                self._move_into_journal(of_organization)

    def _move_into_journal(self, entries: Sequence[_Entry]) -> None:
        lanes = [
            (
                Lane.of_company(entry.event.organization_id, entry.event.company_id),
                orjson.dumps(entry.content),
            )
            for entry in entries
        ]
        _repeat_until_redis_accepts(lambda: self._journal.append(lanes), f"{len(lanes)} events")

    def _read(self, bundle: Bundle) -> list[_Entry]:
        """Return the events of a bundle, and set aside the entries that are none."""
        organization_id = bundle.lane.organization_id
        for odd in bundle.odd:
            fields = [part.decode(errors="backslashreplace") for part in odd.content]
            self._set_aside(fields, UnreadableEvent("an unknown format"), organization_id or None)
        contents = _decoded(b"[%b]" % bundle.payload)
        if not isinstance(contents, list) or len(contents) != len(bundle.ids):
            # An entry is not one JSON value.
            contents = [_decoded(raw) for raw in self._journal.read(bundle).values()]
        entries = []
        for entry_id, at, content in zip(bundle.ids, bundle.accepted_at, contents, strict=True):
            try:
                event = TrackedEvent.from_message(content, at)
            except UnreadableEvent as error:
                self._set_aside(content, error, organization_id)
            else:
                entries.append(_Entry(content, event, entry_id, bundle))
        return entries

    def _movable(self, bundle: Bundle, entries: Sequence[_Entry]) -> list[_Entry]:
        """Move the entries of companies that have a lane of their own; return the others."""
        if not bundle.held or bundle.lane.company is not None:
            return list(entries)
        moved = [entry for entry in entries if entry.event.company_id in bundle.held]
        self._hold(bundle, moved)
        return [entry for entry in entries if entry.event.company_id not in bundle.held]

    def _hold(self, bundle: Bundle, entries: Iterable[_Entry]) -> None:
        ids: dict[str, list[str]] = {}
        for entry in entries:
            ids.setdefault(entry.event.company_id, []).append(entry.id)
        for company, entry_ids in ids.items():
            if not self._journal.hold(bundle, company, entry_ids):
                raise LeaseOver

    def _hold_locked(self, bundle: Bundle, entries: Sequence[_Entry]) -> list[_Entry]:
        """Move the entries of companies whose rows are kept locked; return the others.

        Raises:
            LockTimeout: there are none, or this lane has only one company.
        """
        if bundle.lane.company is not None:
            raise LockTimeout("the company of this lane is still locked")
        organization_id = bundle.lane.organization_id
        with transaction():
            ids = companies.find_ids(
                {(organization_id, entry.event.company_id) for entry in entries}
            )
        locked_ids = find_kept_locked(ids.values())
        locked = {company for (_, company), id_ in ids.items() if id_ in locked_ids}
        if not locked:
            raise LockTimeout("no company stays locked")
        logger.warning(
            "events of %d companies of organization %d wait: their rows are locked",
            len(locked),
            organization_id,
        )
        self._hold(bundle, [entry for entry in entries if entry.event.company_id in locked])
        return [entry for entry in entries if entry.event.company_id not in locked]

    def _store_in_parts(
        self,
        entries: Sequence[_Entry],
        *,
        wait: Callable[[], None] = lambda: None,
        locked: Callable[[Sequence[_Entry]], Sequence[_Entry]] | None = None,
    ) -> None:
        """Store events; if one cannot be stored, find it by halving and set it aside."""
        if not entries:
            return
        try:
            retry_while_unavailable(
                lambda: self._store([entry.event for entry in entries]),
                wait,
                may_wait_for_locks=locked is None,
            )
        except LeaseOver:
            raise
        except LockTimeout:
            if locked is None:
                raise
            self._store_in_parts(locked(entries), wait=wait, locked=locked)
        except Exception as error:  # noqa: BLE001 -- one faulty event must not cost the others
            if len(entries) > 1:
                half = len(entries) // 2
                self._store_in_parts(entries[:half], wait=wait, locked=locked)
                self._store_in_parts(entries[half:], wait=wait, locked=locked)
                return
            [entry] = entries
            self._set_aside(entry.content, error, entry.event.organization_id, entry)

    def _set_aside(
        self,
        content: Any,
        error: Exception,
        organization_id: int | None,
        entry: _Entry | None = None,
    ) -> None:
        """Keep what can never be stored as an event in `rejected_events`.

        If its content cannot be kept as JSON, such as one nested too deeply, it is kept as text.
        """
        logger.error("an event was set aside in rejected_events: %s", describe(error))
        reason = _storable(f"{type(error).__name__}: {error}")

        def reject(kept: Any) -> None:
            with transaction():
                storage.reject(organization_id, kept, reason)

        try:
            retry_while_unavailable(lambda: reject(content))
        except Exception:
            if entry is None or entry.bundle is None:
                raise
            text = self._journal.read(entry.bundle)[entry.id].decode(errors="backslashreplace")
            retry_while_unavailable(lambda: reject(text))

    def _store(self, events: Sequence[TrackedEvent]) -> None:
        """Store events of one organization, and enqueue the evaluation of their companies."""
        if not events:
            return
        unsettled = store_in_transaction(events, self._rulebooks, self._caches)
        waited = self._now() - min(event.received_at for event in events)
        if waited < BEHIND or len(events) < LARGE_BUNDLE:
            organization_id = events[0].organization_id
            self._evaluations.enqueue_best_effort([(organization_id, id_) for id_ in unsettled])

    def _extend(self, bundle: Bundle) -> None:
        """Extend the lease of a bundle while its worker waits for PostgreSQL."""
        try:
            if not self._journal.extend(bundle):
                raise LeaseOver
        except RedisError as error:
            logger.warning("the lease of lane %s was not extended: %s", bundle.lane.name, error)

    def _remove(self, *bundles: Bundle) -> None:
        """Remove stored events from the journal; repeat it while Redis refuses or is away."""
        removed = _repeat_until_redis_accepts(
            lambda: self._journal.remove(*bundles), f"the removal of {bundles!r}, which are stored,"
        )
        if not removed:
            raise LeaseOver

    def _postpone(self, bundle: Bundle, seconds: float) -> None:
        try:
            self._journal.postpone(bundle, seconds)
        except RedisError as error:
            logger.warning("lane %s waits for the end of its lease: %s", bundle.lane.name, error)


def _decoded(raw: bytes) -> Any:
    """Return the decoded JSON, or the raw text if it is not valid JSON."""
    try:
        return orjson.loads(raw)
    except ValueError:
        return raw.decode(errors="backslashreplace")


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


def _claimed_organization(content: Any) -> int | None:
    """Return the organization that an unreadable event names, if it can be one."""
    claimed = content.get("organization_id") if isinstance(content, dict) else None
    return claimed if type(claimed) is int and 0 < claimed < 2**63 else None


def _storable(text: str) -> str:
    """Return a text without what PostgreSQL cannot store."""
    return text.encode(errors="backslashreplace").decode().replace("\0", r"\0")


class LockTimeout(Exception):
    """Raised when a row was locked by another transaction for too long."""


T = TypeVar("T")


def _repeat_until_redis_accepts(write: Callable[[], T], what: str) -> T:
    """Repeat a write while Redis refuses it or is away, and return its result."""
    pause = 0.1
    while True:
        try:
            return write()
        except RedisError as error:
            logger.warning("%s waits for Redis: %s", what, error)
        time.sleep(pause)
        pause = min(2 * pause, MAX_PAUSE_S)


_outage = threading.Lock()
"""Held by the thread that logs an outage, so that a process logs it once."""


def retry_while_unavailable(
    work: Callable[[], T],
    wait: Callable[[], None] = lambda: None,
    *,
    may_wait_for_locks: bool = True,
) -> T:
    """Do `work`, and repeat it while PostgreSQL is unavailable or its schema is not up to date.

    The thread waits, so its events stay in the journal. `wait` is called before each pause. If the
    worker is stopped meanwhile, another one takes them.

    Raises:
        LockTimeout: a row is locked, and `may_wait_for_locks` is false.
        Exception: whatever else `work` raises.
    """
    pause = 0.1
    logs_outage = False
    try:
        while True:
            try:
                return work()
            except (*UNAVAILABLE, *NOT_SET_UP) as error:
                if is_refusal(error):
                    raise
                if not may_wait_for_locks and is_lock_timeout(error):
                    raise LockTimeout(str(error)) from None
                if _outage.acquire(blocking=False):
                    logs_outage = True
                    logger.warning("events cannot be stored and wait: %s", describe(error))
                wait()
                time.sleep(pause)
                pause = min(2 * pause, MAX_PAUSE_S)
    finally:
        if logs_outage:
            _outage.release()
            logger.warning("events can be stored again")
