"""Which companies change status next if nothing happens, the soonest first, without judging all.

`flag_states.due_at` is never later than the truth, but most of what is due finds that events
have come since, and moves on. So candidates are taken in the order in which they are due, with
those of which an override starts or ends. For phrases that only count, when they change by now is
one probe each; whoever then is next is judged by the forecast, and told once nobody else can come
before.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.cursors import Cursor
from models.events import events
from models.events.events import Nth
from models.health import flag_overrides, flag_states
from models.health.flag_states import DueFlag
from rules.durations import END, shifted
from rules.facts import USER
from rules.flags import Flag
from rules.phrases.counting import Absence, Count, Distinct
from services.rules.prospects import Prospect, forecast
from services.rules.rule_books import RuleBooks

LOOKED_AT_ONCE = 250
"""Due flags that are read, and probed, together."""

JUDGED_AT_ONCE = 5
"""Companies that are judged together; some of them may be more than is needed."""

MOST_LOOKED_AT = 2_500
"""Due flags after which it is enough for one page, whatever was found."""

MOST_JUDGED = 50
"""Companies after which it is enough: those whose flags no probe tells anything of are many."""

_PLACE = Cursor("outlook", ("timestamptz", "text"))


@dataclass(frozen=True)
class Outlook:
    """The next changes of status, in order. `known_until` is up to when none is missing.

    `next` asks for those that follow; None if there are none up to the end.
    """

    changes: list[Prospect]
    known_until: datetime
    next: str | None


@dataclass(frozen=True)
class Span:
    """The time to look at: from now until an instant."""

    now: datetime
    until: datetime


def outlook(
    organization_id: int,
    version: int,
    span: Span,
    rulebooks: RuleBooks,
    *,
    after: str | None = None,
    limit: int = 20,
) -> Outlook:
    """The next `limit` changes of status of an organization, each verified live.

    `version` is that of the rules in force. Fewer come where there are no more, or where too many
    flags that are due will not change anything: `known_until` tells, and `next` goes on.

    Raises:
        UnreadableCursor: `after` is not what an earlier call gave.
        RulesUnreadable: the rules in force cannot be read.
    """
    place = tuple(_PLACE.read(after).values())
    looking = _Looking(organization_id, version, span, rulebooks, place)
    found = looking.find(limit)
    told = found[:limit]
    if looking.complete and len(found) <= limit:
        return Outlook(told, span.until, None)
    if len(told) == limit:
        return Outlook(told, told[-1].at, _PLACE.write([told[-1].at, told[-1].id]))
    return Outlook(told, looking.frontier, _PLACE.write([looking.frontier, ""]))


class _Looking:
    """One look ahead: `frontier` is up to when it has verified everything."""

    def __init__(
        self,
        organization_id: int,
        version: int,
        span: Span,
        rulebooks: RuleBooks,
        place: tuple[Any, ...],
    ) -> None:
        self._organization_id = organization_id
        self._version = version
        self._span = span
        self._rulebooks = rulebooks
        self._place = place
        self._book = rulebooks.book(organization_id, version)
        self._counting = {flag.name: _plain_counts(flag) for flag in self._book.flags}
        self._candidates: list[tuple[datetime, int]] = []
        self._judged: set[int] = set()
        self._judged_further = 0
        self._found: list[Prospect] = []
        self.frontier = span.now
        self.complete = False

    def find(self, limit: int) -> list[Prospect]:
        """The next changes in order, `limit` or somewhat more if there are so many."""
        looked_at = 0
        overrides = flag_overrides.due_of_organization(self._organization_id, self._span.until)
        for company_id, due_at in overrides.items():
            self._add(due_at, company_id)
        for chunk, read_until in self._chunks():
            self._take(chunk)
            while self._next_bound() <= read_until and not self._is_enough(limit, read_until):
                self._judge_next(read_until)
            self.frontier = min(read_until, self._next_bound())
            looked_at += sum(self._is_further(flag.due_at) for flag in chunk)
            if self._is_enough(limit, read_until) or looked_at >= MOST_LOOKED_AT:
                break
        else:
            self.complete = True
        known = (one for one in self._found if self.complete or one.at < self.frontier)
        return sorted(known, key=lambda one: (one.at, one.id))

    def _next_bound(self) -> datetime:
        """The earliest at which one that is not judged can change."""
        return self._candidates[0][0] if self._candidates else END

    def _is_further(self, at: datetime) -> bool:
        """Whether an instant lies beyond the place to go on from: no page is without progress."""
        return not self._place or at > self._place[0]

    def _is_enough(self, limit: int, read_until: datetime) -> bool:
        if self._judged_further >= MOST_JUDGED:
            return True
        bound = min(read_until, self._next_bound())
        return sum(one.at < bound for one in self._found) >= limit

    def _chunks(self) -> Iterator[tuple[Sequence[DueFlag], datetime]]:
        """Due flags in order, each time with up to when no other is due."""
        place: tuple[datetime, int, str] | None = None
        while True:
            chunk = flag_states.due_of_organization(
                self._organization_id,
                self._version,
                until=self._span.until,
                after=place,
                limit=LOOKED_AT_ONCE,
            )
            if len(chunk) < LOOKED_AT_ONCE:
                yield chunk, self._span.until
                return
            last = chunk[-1]
            yield chunk, last.due_at
            place = last.due_at, last.company_id, last.flag

    def _take(self, chunk: Sequence[DueFlag]) -> None:
        """Add the companies of due flags, each at the earliest that its flag can change."""
        probes: list[Nth] = []
        probed: list[tuple[DueFlag, slice, Sequence[_Counted]]] = []
        for due in chunk:
            counts = self._counts(due)
            if counts is None:
                self._add(due.due_at, due.company_id)
                continue
            start = len(probes)
            key = self._book.flags_by_name[due.flag].selector.event_key
            probes += [Nth(due.company_id, key, one.depth, one.users) for one in counts]
            probed.append((due, slice(start, len(probes)), counts))
        times = events.times_of_nth(probes, self._span.now)
        for due, places, counts in probed:
            at = self._changes_at(due, list(zip(times[places], counts, strict=True)))
            if at is not None and at <= self._span.until:
                self._add(at, due.company_id)

    def _changes_at(
        self, due: DueFlag, found: Sequence[tuple[datetime | None, "_Counted"]]
    ) -> datetime | None:
        """When a flag that only counts changes by itself, or no sooner than; None if never."""
        if any(at is None and one.users for at, one in found):
            return due.due_at
        changes = [shifted(at, one.window) for at, one in found if at is not None]
        return min((at for at in changes if at > self._span.now), default=None)

    def _counts(self, due: DueFlag) -> Sequence["_Counted"] | None:
        """The phrases of a flag, if it is recorded up to date and does nothing but count."""
        if not due.is_current or due.status is None or due.due_at <= self._span.now:
            return None
        return self._counting.get(due.flag)

    def _add(self, at: datetime, company_id: int) -> None:
        if company_id not in self._judged:
            heapq.heappush(self._candidates, (at, company_id))

    def _judge_next(self, until: datetime) -> None:
        """Judge the companies that are next, as far as they are known to be."""
        chosen: dict[int, None] = {}
        while self._candidates and len(chosen) < JUDGED_AT_ONCE:
            if self._candidates[0][0] > until:
                break
            at, company_id = heapq.heappop(self._candidates)
            if company_id not in self._judged and company_id not in chosen:
                chosen[company_id] = None
                self._judged_further += self._is_further(at)
        self._judged.update(chosen)
        for prospects in forecast(
            list(chosen), self._version, self._span.now, self._span.until, self._rulebooks
        ):
            self._found += [
                one
                for one in prospects
                if one.before != one.after
                and one.at <= self._span.until
                and (not self._place or (one.at, one.id) > self._place)
            ]


@dataclass(frozen=True)
class _Counted:
    """A phrase that changes when its `depth`-th latest event, or user, leaves the window."""

    depth: int
    window: timedelta
    users: bool


def _plain_counts(flag: Flag) -> Sequence[_Counted] | None:
    """The phrases of a flag that changes by itself just when one of these counts does."""
    if flag.recover or flag.lasting or flag.selector.where:
        return None
    counts = []
    for _, phrase in flag.conditions:
        match phrase:
            case Absence():
                counts.append(_Counted(1, phrase.window, users=False))
            case Count():
                counts.append(_Counted(phrase.depth, phrase.window, users=False))
            case Distinct() if phrase.of == USER:
                counts.append(_Counted(phrase.depth, phrase.window, users=True))
            case _:
                return None
    return [count for count in counts if count.depth > 0]
