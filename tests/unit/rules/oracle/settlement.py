"""A company as the actors maintain it, and a recount of its health independent of `settle`.

Instants are whole seconds after noon, so that events often coincide.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from rules.book import RuleBook
from rules.facts import Selector
from rules.facts_in_memory import FactsInMemory, Occurrence
from rules.flags import Flag
from rules.judging.settlement import settle
from rules.judging.state import CompanyState, NewRules, Settlement, Transition
from rules.phrases.condition import Condition, Level
from rules.phrases.counting import Absence, Comparison, Count
from rules.statuses import DEFAULT_STATUSES
from tests.support.rules import limits_up_to

NOON = datetime(2024, 1, 20, 12, tzinfo=UTC)
LIVE_WITHIN = timedelta(minutes=1)
STATUSES = DEFAULT_STATUSES


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@dataclass
class Company:
    """Does in memory what intake, evaluation and clock do to one company's rows."""

    book: RuleBook
    events: list[Occurrence] = field(default_factory=list)
    first_seen_at: datetime | None = None
    unsettled_since: datetime | None = None
    state: CompanyState | None = None
    judged_by: RuleBook | None = None
    newer: list[tuple[datetime, RuleBook]] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)

    def store(self, events: Iterable[Occurrence], now: datetime) -> bool:
        """Store events that arrive together; return whether to evaluate the company."""
        for event in events:
            older = self.first_seen_at is None or event.occurred_at < self.first_seen_at
            if older:
                self.first_seen_at = event.occurred_at
            if older or self._can_matter(event):
                live = now - event.occurred_at <= LIVE_WITHIN
                since = event.occurred_at if live else now
                self.unsettled_since = min(self.unsettled_since or since, since)
            self.events.append(event)
        return self.unsettled_since is not None

    def _can_matter(self, event: Occurrence) -> bool:
        if self.state is None or self.judged_by is not self.book:
            return True
        return any(
            self.state.flags[flag.name].awaits_event
            and flag.selector.matches(event.event_key, event.data)
            for flag in self.book.flags
        )

    def apply(self, book: RuleBook, now: datetime) -> None:
        """Put another book in force."""
        self.book = book
        self.newer.append((now, book))

    def evaluate(self, now: datetime) -> list[Settlement]:
        """Settle up to `now` by each book in turn; return what each of them recorded."""
        assert self.first_seen_at is not None
        if self.state is None or self.judged_by is None:
            self.state = CompanyState(self.book.statuses[0], self.first_seen_at, None, {})
            self.judged_by, self.newer = self.book, []
        book, new_rules = self.judged_by, None
        settlements = []
        for change in [*self.newer, (now, None)]:
            until, next_book = change
            unsettled = self.unsettled_since
            settlement = settle(
                book,
                replace(self.state, first_seen_at=self.first_seen_at),
                FactsInMemory(self.events),
                now=until,
                unsettled_since=unsettled if unsettled and unsettled <= until else None,
                new_rules=new_rules,
            )
            settlements.append(settlement)
            self.state = settlement.state
            self.transitions += settlement.transitions
            if next_book is not None:
                book, new_rules = next_book, NewRules(until, previous=book)
        self.judged_by, self.newer, self.unsettled_since = book, [], None
        return settlements

    def repeat(self, now: datetime, unsettled_since: datetime | None) -> Settlement:
        """Return what another evaluation would record, without recording it."""
        assert self.state is not None
        facts = FactsInMemory(self.events)
        return settle(self.book, self.state, facts, now=now, unsettled_since=unsettled_since)

    @property
    def levels(self) -> dict[str, Level]:
        """The recorded level of each flag."""
        return {name: state.level for name, state in self.state.flags.items()} if self.state else {}

    def recounted_levels(self, now: datetime) -> dict[str, Level]:
        """Return the level that each flag should have at `now`, by all known events."""
        assert self.first_seen_at is not None
        return {
            flag.name: recount(flag, self.events, self.first_seen_at, now)
            for flag in self.book.flags
        }


def windows(flag: Flag) -> list[timedelta]:
    """Return the windows of a flag's conditions."""
    return [c.window for _, c in flag.conditions if isinstance(c, Count | Absence)]


def recount(
    flag: Flag, events: Sequence[Occurrence], first_seen_at: datetime, now: datetime
) -> Level:
    """Return a flag's level at an instant by counting every event of every window."""
    if now - first_seen_at < flag.wait:
        return None
    matching = [e.occurred_at for e in events if flag.selector.event_key in (None, e.event_key)]

    def holds(condition: Condition) -> bool:
        assert isinstance(condition, Count | Absence)
        count = len([time for time in matching if now - condition.window < time <= now])
        if isinstance(condition, Absence):
            return count == 0
        return {
            Comparison.LESS_THAN: count < condition.times,
            Comparison.AT_MOST: count <= condition.times,
            Comparison.AT_LEAST: count >= condition.times,
            Comparison.MORE_THAN: count > condition.times,
        }[condition.comparison]

    return max((level for level, condition in flag.conditions if holds(condition)), default=0)


Change = tuple[str, Level, Level]
Crossing = tuple[datetime, str, str, list[Change]]
"""An instant, the status before and after it, and each flag that changed: before and after."""


def recounted_crossings(
    books: Sequence[tuple[datetime, RuleBook]],
    events: Sequence[Occurrence],
    until: datetime,
) -> list[Crossing]:
    """Return all crossings up to `until`, by testing every instant that could be one.

    `books` are in force from their instants on, the first one from the first event.
    """
    first_seen_at = min(event.occurred_at for event in events)
    instants = {event.occurred_at for event in events} | {since for since, _ in books[1:]}
    for _, book in books:
        for flag in book.flags:
            instants |= {event.occurred_at + w for event in events for w in windows(flag)}
            instants.add(first_seen_at + flag.wait)
    status, levels = books[0][1].statuses[0], dict[str, Level]()
    crossings: list[Crossing] = []
    for instant in sorted(i for i in instants if first_seen_at <= i <= until):
        book = [book for since, book in books if since <= instant][-1]
        now = {flag.name: recount(flag, events, first_seen_at, instant) for flag in book.flags}
        removed = [name for name in levels if name not in now]
        changes = [
            (name, levels.get(name), now.get(name))
            for name in [*removed, *now]
            if (levels.get(name) or 0) != (now.get(name) or 0)
        ]
        levels = now
        after = book.statuses[max((level or 0 for level in now.values()), default=0)]
        if changes:
            crossings.append((instant, status, after, changes))
            status = after
    return crossings


def crossings(transitions: Iterable[Transition]) -> list[Crossing]:
    """Return recorded transitions in the form of a recount."""
    return [
        (t.at, t.before, t.after, [(c.flag, c.before, c.after) for c in t.changes])
        for t in transitions
    ]


def selects(flag: Flag, event: Occurrence) -> bool:
    """Return whether a flag counts an event."""
    return flag.selector.event_key in (None, event.event_key)


SECONDS = st.one_of(st.integers(1, 10), st.integers(1, 60)).map(lambda s: timedelta(seconds=s))
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(lambda limit, window: Count(*limit, window), limits_up_to(4), SECONDS),
    st.builds(Absence, SECONDS),
)
WAITING = st.one_of(st.just(timedelta(0)), SECONDS)


def books(waits: st.SearchStrategy[timedelta] = WAITING) -> st.SearchStrategy[RuleBook]:
    """Draw books of one to three flags on the event keys a and b, with one or two levels each."""

    def flag(name: str) -> st.SearchStrategy[Flag]:
        levels = st.sampled_from([(1,), (2,), (2, 1)])
        return st.builds(
            Flag,
            st.just(name),
            st.sampled_from(["a", "b", None]).map(Selector),
            levels.flatmap(
                lambda levels: st.tuples(*(st.tuples(st.just(n), CONDITIONS) for n in levels))
            ),
            waits,
        )

    names = st.lists(st.sampled_from("ABC"), min_size=1, max_size=3, unique=True)
    flags = names.flatmap(lambda names: st.tuples(*map(flag, names)))
    events: Mapping[str, object] = {}
    return st.builds(RuleBook, st.just(STATUSES), st.just(events), flags)
