"""The next changes of status if nothing happens, the soonest first, without judging every company.

`flag_states.due_at` is never later than the change, but most due flags turn out to have later
events by then and only get a new due time. So candidates are read in the order of their due times,
together with the companies whose overrides start or end. For a flag that only counts events, one
probe shows when it really changes. The company of the earliest candidate is then judged by the
forecast, and its change is returned once no other company can change before it.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.cursors import Cursor
from models.events import bulk_lookups
from models.events.bulk_lookups import NthEvent
from models.health import flag_overrides, flag_states
from models.health.flag_states import DueFlag
from rules.durations import END
from services.health.counting_flags import CountedPhrase, change_time, counted_phrases
from services.rules.planned_changes import PlannedChange, forecast
from services.rules.rule_books import RuleBooks

FLAGS_AT_ONCE = 250
"""Due flags that are read and probed together."""

COMPANIES_AT_ONCE = 5
"""Companies that are judged together; a few of them may not be needed."""

MAX_FLAGS = 2_500
"""Due flags after which a page ends, however few changes it has."""

MAX_COMPANIES = 50
"""Judged companies after which a page ends: flags that cannot be probed may be many."""

_CURSOR = Cursor("outlook", ("timestamptz", "text"))
"""The name is part of links to pages, so it stays."""


@dataclass(frozen=True)
class UpcomingChanges:
    """The next changes of status, in order; all those before `complete_until` are included.

    `next` is the cursor of the following changes; None if there are none up to the end.
    """

    changes: list[PlannedChange]
    complete_until: datetime
    next: str | None


@dataclass(frozen=True)
class Span:
    """The time to search: from now until an instant."""

    now: datetime
    until: datetime


def upcoming_changes(
    organization_id: int,
    version: int,
    span: Span,
    rulebooks: RuleBooks,
    *,
    after: str | None = None,
    limit: int = 20,
) -> UpcomingChanges:
    """Return the next `limit` changes of status of an organization, each judged live.

    `version` is the number of the rules in force. There are fewer changes at the end, or where too
    many due flags change nothing; then `complete_until` and `next` show how far the search went.

    Raises:
        UnreadableCursor: `after` is not a cursor that an earlier call returned.
        RulesUnreadable: the rules in force cannot be read.
    """
    start_after = tuple(_CURSOR.read(after).values())
    search = _Search(organization_id, version, span, rulebooks, start_after)
    changes = search.find(limit)
    page = changes[:limit]
    if search.complete and len(changes) <= limit:
        return UpcomingChanges(page, span.until, None)
    if len(page) == limit:
        return UpcomingChanges(page, page[-1].at, _CURSOR.write([page[-1].at, page[-1].id]))
    return UpcomingChanges(page, search.frontier, _CURSOR.write([search.frontier, ""]))


class _Search:
    """One search; all changes before its `frontier` are known."""

    def __init__(
        self,
        organization_id: int,
        version: int,
        span: Span,
        rulebooks: RuleBooks,
        start_after: tuple[Any, ...],
    ) -> None:
        self._organization_id = organization_id
        self._version = version
        self._span = span
        self._rulebooks = rulebooks
        self._start_after = start_after
        self._book = rulebooks.book(organization_id, version)
        self._counting = {flag.name: counted_phrases(flag) for flag in self._book.flags}
        self._candidates: list[tuple[datetime, int]] = []
        self._judged: set[int] = set()
        self._judged_on_page = 0
        self._changes: list[PlannedChange] = []
        self.frontier = span.now
        self.complete = False

    def find(self, limit: int) -> list[PlannedChange]:
        """Return the next changes in order: `limit` or a few more, if there are as many."""
        flags_on_page = 0
        overrides = flag_overrides.find_first_due(self._organization_id, self._span.until)
        for company_id, due_at in overrides.items():
            self._add(due_at, company_id)
        for chunk, read_until in self._chunks():
            self._add_due_flags(chunk)
            while self._next_bound() <= read_until and not self._is_enough(limit, read_until):
                self._judge_next(read_until)
            self.frontier = min(read_until, self._next_bound())
            flags_on_page += sum(self._is_on_page(flag.due_at) for flag in chunk)
            if self._is_enough(limit, read_until) or flags_on_page >= MAX_FLAGS:
                break
        else:
            self.complete = True
        changes = (c for c in self._changes if self.complete or c.at < self.frontier)
        return sorted(changes, key=lambda change: (change.at, change.id))

    def _next_bound(self) -> datetime:
        """Return the earliest time at which a company that is not judged can change."""
        return self._candidates[0][0] if self._candidates else END

    def _is_on_page(self, at: datetime) -> bool:
        """Whether an instant is after the cursor; only those count, so every page advances."""
        return not self._start_after or at > self._start_after[0]

    def _is_enough(self, limit: int, read_until: datetime) -> bool:
        if self._judged_on_page >= MAX_COMPANIES:
            return True
        bound = min(read_until, self._next_bound())
        return sum(change.at < bound for change in self._changes) >= limit

    def _chunks(self) -> Iterator[tuple[Sequence[DueFlag], datetime]]:
        """Yield due flags in order, each chunk with the time before which no other flag is due."""
        last_read: tuple[datetime, int, str] | None = None
        while True:
            chunk = flag_states.list_due(
                self._organization_id,
                self._version,
                until=self._span.until,
                after=last_read,
                limit=FLAGS_AT_ONCE,
            )
            if len(chunk) < FLAGS_AT_ONCE:
                yield chunk, self._span.until
                return
            last = chunk[-1]
            yield chunk, last.due_at
            last_read = last.due_at, last.company_id, last.flag

    def _add_due_flags(self, chunk: Sequence[DueFlag]) -> None:
        """Add the companies of due flags, each at the earliest time at which its flag changes."""
        probes: list[NthEvent] = []
        probed: list[tuple[DueFlag, slice, Sequence[CountedPhrase]]] = []
        for due in chunk:
            phrases = self._phrases_to_probe(due)
            if phrases is None:
                self._add(due.due_at, due.company_id)
                continue
            start = len(probes)
            key = self._book.flags_by_name[due.flag].selector.event_key
            probes += [
                NthEvent(due.company_id, key, phrase.depth, phrase.users) for phrase in phrases
            ]
            probed.append((due, slice(start, len(probes)), phrases))
        times = bulk_lookups.find_times_of_nth(self._organization_id, probes, self._span.now)
        for due, places, phrases in probed:
            at = change_time(
                due.due_at, self._span.now, list(zip(times[places], phrases, strict=True))
            )
            if at is not None and at <= self._span.until:
                self._add(at, due.company_id)

    def _phrases_to_probe(self, due: DueFlag) -> Sequence[CountedPhrase] | None:
        """Return the phrases of a flag that only counts and whose record is up to date."""
        if not due.is_current or due.status is None or due.due_at <= self._span.now:
            return None
        return self._counting.get(due.flag)

    def _add(self, at: datetime, company_id: int) -> None:
        if company_id not in self._judged:
            heapq.heappush(self._candidates, (at, company_id))

    def _judge_next(self, until: datetime) -> None:
        """Judge the companies of the earliest candidates."""
        chosen: dict[int, None] = {}
        while self._candidates and len(chosen) < COMPANIES_AT_ONCE:
            if self._candidates[0][0] > until:
                break
            at, company_id = heapq.heappop(self._candidates)
            if company_id not in self._judged and company_id not in chosen:
                chosen[company_id] = None
                self._judged_on_page += self._is_on_page(at)
        self._judged.update(chosen)
        for changes in forecast(
            self._organization_id,
            list(chosen),
            self._version,
            self._span.now,
            self._span.until,
            self._rulebooks,
        ):
            self._changes += [
                change
                for change in changes
                if change.before != change.after
                and change.at <= self._span.until
                and (not self._start_after or (change.at, change.id) > self._start_after)
            ]
