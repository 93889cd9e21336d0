"""What comes in, newest first or as it comes: events that are stored, refused, or set aside.

Imported events are counted and not listed: they are about the past, and may be millions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson
from redis import Redis

from models.database import transaction
from models.events import rejected_events
from models.events.newest_events import list_newest
from models.events.rejected_events import RejectedEvent
from queues.arrivals import Arrival, Arrivals, Imported, Watch
from queues.refused.requests import RefusedRequest, RefusedRequests
from services.events.tracked_event import is_late
from services.incoming.refusals import RefusalFilter

NEWEST_STORED = 20
"""The events that are read from the database for those who have just begun to watch."""


class Outcome(StrEnum):
    """What became of an event so far."""

    STORED = "stored"
    REFUSED = "refused"
    SET_ASIDE = "set aside"


@dataclass(frozen=True)
class Line:
    """One event of the list; ids are the client's own, and None if they could not be read.

    `reason` is why it was refused or set aside, and `number` what it is found by there.
    `occurred_at` is when it occurred, if it was stored.
    """

    at: datetime
    outcome: Outcome
    event_key: str | None
    company: str | None
    user: str | None
    event_id: str | None
    reason: str | None = None
    number: str | None = None
    occurred_at: datetime | None = None

    @property
    def is_late(self) -> bool:
        """Whether it is about the past: it was sent late, or imported before somebody watched."""
        return self.occurred_at is not None and is_late(self.occurred_at, self.at)


class Lines(NamedTuple):
    """Lines, how many other events came in at the same time, and what was imported."""

    lines: Sequence[Line]
    more: int = 0
    imported: Imported | None = None


def watch_newest(organization_id: int, client: Redis) -> str:
    """Have what comes in next announced; opens a transaction of its own.

    Returns a mark that changes when something did.

    Raises:
        RedisError: Redis does not answer.
    """
    arrivals, watch = Arrivals(client), Watch(organization_id)
    arrivals.watch(watch)
    refused = RefusedRequests(client).last_id(organization_id)
    with transaction():
        aside = rejected_events.latest_id(organization_id)
    imported = _number(arrivals.imported(watch))
    return f"{arrivals.position(watch)}.{imported}.{refused}.{aside}"


def newest(organization_id: int, client: Redis, now: datetime, *, limit: int) -> Lines:
    """Return what came in last, newest first, in a transaction of its own.

    Call `watch_newest` before.

    Raises:
        RedisError: Redis does not answer.
    """
    arrivals, watch = Arrivals(client), Watch(organization_id)
    reading, imported = arrivals.read(watch), arrivals.imported(watch)
    stored = [_of_stored(arrival) for arrival in reading.arrivals]
    with transaction():
        if len(stored) < limit:
            before = _stored_before(organization_id, stored)
            stored += [line for line in before if not (imported and line.is_late)]
        aside, _ = rejected_events.read_page(organization_id, {}, limit=limit)
    refused = RefusedRequests(client).page(organization_id, now, limit=limit)
    others = [*map(_of_refused, refused), *map(_of_set_aside, aside)]
    if stored:
        # Before the oldest of these, there may be others that were stored.
        oldest = min(line.at for line in stored)
        complete = len(stored) < NEWEST_STORED
        others = [line for line in others if complete or line.at >= oldest]
    lines = sorted([*stored, *others], key=lambda line: line.at, reverse=True)
    return Lines(lines[:limit], reading.missed, imported)


class Follower:
    """Follows what comes in from now on."""

    def __init__(
        self, organization_id: int, client: Redis, watch: Watch, *, only_refused: bool = False
    ) -> None:
        """Begin to follow, with a transaction of its own.

        `watch` names the company and the event key to follow; None is any.

        Raises:
            RedisError: Redis does not answer.
        """
        self._organization_id = organization_id
        self._watch = watch
        self._only_refused = only_refused
        self._arrivals = Arrivals(client)
        self._requests = RefusedRequests(client)
        self._filter = RefusalFilter(event=watch.event_key)
        self._position = 0 if only_refused else self._arrivals.position(watch)
        self._imported = _number(self._arrivals.imported(watch))
        self._last_refused = self._requests.last_id(organization_id)
        with transaction():
            self._last_aside = rejected_events.latest_id(organization_id)

    def keep_watching(self) -> None:
        """Go on for the next seconds; call it every few seconds."""
        if not self._only_refused:
            self._arrivals.watch(self._watch)

    def read(self, most: int) -> Lines:
        """Return what came in since the last call, at most this many lines, oldest first."""
        lines: list[Line] = []
        missed, imported = 0, None
        if not self._only_refused:
            reading = self._arrivals.read(self._watch, self._position)
            self._position, missed = reading.position, reading.missed
            lines += [_of_stored(arrival) for arrival in reading.arrivals]
            imported = self._newly_imported()
        refused = self._requests.after(self._organization_id, self._last_refused)
        if refused:
            self._last_refused = refused[-1].id
        lines += self._chosen(_of_refused(request) for request in self._filter.among(refused))
        lines += self._chosen(map(_of_set_aside, self._set_aside(most)))
        lines.sort(key=lambda line: line.at)
        return Lines(lines[-most:], missed + max(0, len(lines) - most), imported)

    def _newly_imported(self) -> Imported | None:
        """Return what was imported since the last call, with the span of all that was."""
        imported = self._arrivals.imported(self._watch)
        before, self._imported = self._imported, _number(imported)
        number = self._imported - before if self._imported >= before else self._imported
        return imported._replace(number=number) if imported and number else None

    def _set_aside(self, most: int) -> list[RejectedEvent]:
        """Read what was set aside since the last call, in a transaction of its own."""
        if self._watch.event_key is not None:
            return []  # the key of an event that cannot be stored is not known
        with transaction():
            aside, _ = rejected_events.read_page(
                self._organization_id, {"after_id": self._last_aside}, limit=most
            )
        if aside:
            self._last_aside = aside[0].id
        return aside

    def _chosen(self, lines: Iterable[Line]) -> list[Line]:
        company = self._watch.company
        return [line for line in lines if company is None or line.company == company]


def _stored_before(organization_id: int, lines: Sequence[Line]) -> list[Line]:
    """Return the newest events of the database that are not among the lines."""
    known = {line.event_id for line in lines}
    return [
        _of_stored(
            Arrival(e.received_at, e.occurred_at, e.event_key, e.company, e.user, e.event_id)
        )
        for e in list_newest(organization_id, limit=NEWEST_STORED)
        if e.event_id not in known
    ]


def _number(imported: Imported | None) -> int:
    return imported.number if imported else 0


def _of_stored(arrival: Arrival) -> Line:
    return Line(arrival.at, Outcome.STORED, *arrival[2:], occurred_at=arrival.occurred_at)


def _of_refused(request: RefusedRequest) -> Line:
    refusal = request.refusal
    try:
        body: Any = orjson.loads(refusal.body)
    except orjson.JSONDecodeError:
        body = None
    return Line(
        refusal.at,
        Outcome.REFUSED,
        refusal.event_key,
        _id_in(body, "company"),
        _id_in(body, "user"),
        refusal.event_id,
        refusal.reason,
        request.id,
    )


def _of_set_aside(event: RejectedEvent) -> Line:
    reason = event.error.partition("\n")[0]
    number = str(event.id)
    return Line(
        event.rejected_at,
        Outcome.SET_ASIDE,
        None,
        event.company,
        None,
        event.event_id,
        reason,
        number,
    )


def _id_in(body: Any, what: str) -> str | None:
    """Return the id of a company or a user in the body of a request."""
    named = body.get(what) if isinstance(body, dict) else None
    found = named.get("id") if isinstance(named, dict) else None
    return found if isinstance(found, str) else None
