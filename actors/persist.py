"""Stores the records of the journal: each bundle in one transaction, in the order of acceptance."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

import orjson
from redis.exceptions import RedisError

from actors.locked_companies import find_kept_locked
from config.safe_logs import describe
from models.companies import companies, users
from models.companies.fields.field_digests import RowGone
from models.database import (
    NOT_SET_UP,
    UNAVAILABLE,
    is_lock_timeout,
    is_refusal,
    transaction,
)
from queues.arrivals import Announcements
from queues.backlog import BEHIND
from queues.broker import QueueBroker
from queues.lanes.lane import NOBODY, Lane
from queues.lanes.lane_queue import FORMAT, HELD_PAUSE_SECONDS, Bundle, LaneQueue
from services.events import intake
from services.events.entries import as_text
from services.events.intake import IntakeCaches
from services.events.records import (
    Record,
    UnresolvedRecord,
    events_among,
    read_record,
    record_from_json,
)
from services.events.set_aside import set_aside
from services.events.tracked_event import UnreadableEvent, with_time_of_acceptance
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


class _Entry(NamedTuple):
    """A record with its id in the journal; or with fields for it, from the release before."""

    record: Record
    id: str = ""
    fields: tuple[bytes, ...] = ()


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
        self._announcements = Announcements(broker.client)

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
                    partial(self._refuse, bundle),
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
                lambda: self._store([entry.record for _, entries in lanes for entry in entries]),
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

    def persist(self, contents: Sequence[dict[str, Any]]) -> None:
        """Store the events of a message of the release before.

        What can be neither stored nor set aside moves into the journal, where it delays its
        partition alone.
        """
        entries: dict[int, list[_Entry]] = {}
        for content in contents:
            fields = (FORMAT.encode(), orjson.dumps(content))
            try:
                record = read_record(content)
            except UnreadableEvent as error:
                _set_aside(_claimed_organization(content), fields, str(error))
            else:
                entries.setdefault(record.organization_id, []).append(_Entry(record, fields=fields))
        for of_organization in entries.values():
            try:
                self._store_in_parts(of_organization, _set_aside_former)
            except Exception as error:  # noqa: BLE001 -- Dramatiq would drop the events
                logger.error(  # noqa: TRY400 -- a traceback says no more
                    "%d events move into the journal: %s", len(of_organization), describe(error)
                )
                self._move_into_journal(of_organization)

    def _move_into_journal(self, entries: Sequence[_Entry]) -> None:
        lanes = [
            (
                Lane.of_company(entry.record.organization_id, entry.record.company_id),
                with_time_of_acceptance(entry.fields[1], entry.record.received_at),
            )
            for entry in entries
        ]
        _repeat_until_redis_accepts(lambda: self._journal.append(lanes), f"{len(lanes)} events")

    def _read(self, bundle: Bundle) -> list[_Entry]:
        """Return the records of a bundle, and set aside the entries that are none."""
        for odd in bundle.odd:
            reason = f"unknown format: {as_text(odd.fields[0])}"
            _set_aside(_owner(bundle), odd.fields, reason, _journal_id(bundle, odd.id))
        contents: Sequence[Any] = ()
        read: Callable[[Any, datetime | None], Record] = read_record
        with suppress(orjson.JSONDecodeError):
            contents = orjson.loads(b"[%b]" % bundle.payload)
        if len(contents) != len(bundle.ids):  # one of them is not JSON
            contents, read = list(self._journal.read(bundle).values()), record_from_json
        entries = []
        for entry_id, at, content in zip(bundle.ids, bundle.accepted_at, contents, strict=True):
            try:
                record = read(content, at)
            except UnreadableEvent as error:
                self._set_aside(bundle, entry_id, str(error))
                continue
            if isinstance(record, UnresolvedRecord):
                record = record._replace(journal_id=_journal_id(bundle, entry_id))
            entries.append(_Entry(record, entry_id))
        return entries

    def _refuse(self, bundle: Bundle, entry: _Entry, reason: str) -> None:
        self._set_aside(bundle, entry.id, reason)

    def _set_aside(self, bundle: Bundle, entry_id: str, reason: str) -> None:
        """Set aside an entry of a bundle as it is in the journal.

        Raises:
            LeaseOver: it is not there any more; others have stored it or set it aside.
        """
        fields = self._journal.find(bundle.lane, entry_id)
        if fields is None:
            raise LeaseOver
        _set_aside(_owner(bundle), fields, reason, _journal_id(bundle, entry_id))

    def _movable(self, bundle: Bundle, entries: Sequence[_Entry]) -> list[_Entry]:
        """Move the entries of companies that have a lane of their own; return the others."""
        if not bundle.held or bundle.lane.company is not None:
            return list(entries)
        return self._moved(bundle, entries, bundle.held, _companies_of(entries))

    def _moved(
        self,
        bundle: Bundle,
        entries: Sequence[_Entry],
        held: Collection[str],
        companies_of: Mapping[str, str | None],
    ) -> list[_Entry]:
        """Move the entries of companies into lanes of their own; return the others."""
        ids: dict[str, list[str]] = {}
        others = []
        for entry in entries:
            company = companies_of[entry.id]
            if company is not None and company in held:
                ids.setdefault(company, []).append(entry.id)
            else:
                others.append(entry)
        for company, entry_ids in ids.items():
            if not self._journal.hold(bundle, company, entry_ids):
                raise LeaseOver
        return others

    def _hold_locked(self, bundle: Bundle, entries: Sequence[_Entry]) -> list[_Entry]:
        """Move the entries of companies whose rows are kept locked; return the others.

        Raises:
            LockTimeout: there are none, or this lane has only one company.
        """
        if bundle.lane.company is not None:
            raise LockTimeout("the company of this lane is still locked")
        organization_id = bundle.lane.organization_id
        companies_of = _companies_of(entries)
        with transaction():
            named = {company for company in companies_of.values() if company is not None}
            ids = companies.find_ids(organization_id, named)
        locked_ids = find_kept_locked(organization_id, ids.values())
        locked = {company for company, id_ in ids.items() if id_ in locked_ids}
        if not locked:
            raise LockTimeout("no company stays locked")
        logger.warning(
            "events of %d companies of organization %d wait: their rows are locked",
            len(locked),
            organization_id,
        )
        return self._moved(bundle, entries, locked, companies_of)

    def _store_in_parts(
        self,
        entries: Sequence[_Entry],
        refused: Callable[[_Entry, str], None],
        *,
        wait: Callable[[], None] = lambda: None,
        locked: Callable[[Sequence[_Entry]], Sequence[_Entry]] | None = None,
    ) -> None:
        """Store records; if one cannot be stored, find it by halving and pass it to `refused`."""
        if not entries:
            return
        try:
            retry_while_unavailable(
                lambda: self._store([entry.record for entry in entries]),
                wait,
                may_wait_for_locks=locked is None,
            )
        except LeaseOver:
            raise
        except LockTimeout:
            if locked is None:
                raise
            self._store_in_parts(locked(entries), refused, wait=wait, locked=locked)
        except Exception as error:  # noqa: BLE001 -- one faulty event must not cost the others
            if len(entries) > 1:
                half = len(entries) // 2
                self._store_in_parts(entries[:half], refused, wait=wait, locked=locked)
                self._store_in_parts(entries[half:], refused, wait=wait, locked=locked)
                return
            refused(entries[0], f"{type(error).__name__}: {error}")

    def _store(self, records: Sequence[Record]) -> None:
        """Store records of one organization, and enqueue the evaluation of their companies."""
        if not records:
            return
        unsettled = store_in_transaction(records, self._rulebooks, self._caches)
        organization_id = records[0].organization_id
        self._announcements.announce(organization_id, events_among(records))
        waited = self._now() - min(record.received_at for record in records)
        if waited < BEHIND or len(records) < LARGE_BUNDLE:
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


def _companies_of(entries: Sequence[_Entry]) -> dict[str, str | None]:
    """Return the company of each entry of one organization, None if it is not known.

    Entries are named by their ids in the journal, companies by the clients' own ids.
    """
    unresolved = [e.record for e in entries if isinstance(e.record, UnresolvedRecord)]
    of_users: dict[str, str] = {}
    if unresolved:
        with transaction():
            user_ids = {record.user_id for record in unresolved}
            of_users = users.find_companies(unresolved[0].organization_id, user_ids)
    return {
        entry.id: of_users.get(entry.record.user_id)
        if isinstance(entry.record, UnresolvedRecord)
        else entry.record.company_id
        for entry in entries
    }


def store_in_transaction(
    records: Sequence[Record], rulebooks: RuleBooks, caches: IntakeCaches | None = None
) -> list[int]:
    """Store records as `intake.store` does, and once more if a cached id belongs to a deleted row.

    Raises:
        OperationalError, InterfaceError: PostgreSQL is unavailable; nothing was stored.
    """
    caches = caches or IntakeCaches()
    try:
        with transaction():
            return intake.store(records, rulebooks, caches)
    except RowGone:
        caches.ids.clear()
        with transaction():
            return intake.store(records, rulebooks, caches)


def _set_aside(
    organization_id: int | None, fields: Sequence[bytes], reason: str, journal_id: str | None = None
) -> None:
    """Keep what can never be stored as an event; the log names the fault, not the event."""
    logger.error(
        "an event of %s was set aside (%s); see `brazebee rejected list`",
        f"organization {organization_id}" if organization_id else "an unknown organization",
        _first_line(reason).partition(":")[0],
    )

    def keep() -> None:
        with transaction():
            set_aside(organization_id, fields, reason, journal_id=journal_id)

    retry_while_unavailable(keep)


def _set_aside_former(entry: _Entry, reason: str) -> None:
    _set_aside(entry.record.organization_id, entry.fields, reason)


def _owner(bundle: Bundle) -> int | None:
    """Return the organization of a bundle, None if nobody knows it."""
    return None if bundle.lane == NOBODY else bundle.lane.organization_id


def _journal_id(bundle: Bundle, entry_id: str) -> str:
    """Return an id for an entry that no other has."""
    return f"{bundle.lane.name}/{entry_id}"


def _claimed_organization(content: object) -> int | None:
    """Return the organization that a message of the release before names."""
    claimed = content.get("organization_id") if isinstance(content, dict) else None
    return claimed if type(claimed) is int and 0 < claimed < 2**63 else None


def _first_line(message: str) -> str:
    """Return the first line of a message: PostgreSQL puts the values of a row into the others."""
    return message.strip().partition("\n")[0]


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
