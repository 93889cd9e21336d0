"""Random phrases, rule books and histories of one company, and the company as the actors keep it.

The profile `thorough` tests hundreds of random cases for every kind of phrase or book; that takes
some minutes:

    HYPOTHESIS_PROFILE=thorough .venv/bin/python -m pytest tests/unit/rules/oracle
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from models.companies.fields.field_merge import Traits
from rules.book import RuleBook
from rules.facts import Selector
from rules.facts_in_memory import FactsInMemory, FieldChange, Occurrence
from rules.flags import Flag
from rules.judging.settlement import settle
from rules.judging.state import CompanyState, Transition
from rules.phrases.amounts import Amount, Change, Measure
from rules.phrases.condition import Bound, Condition, Level
from rules.phrases.counting import Absence, Count, Never
from rules.phrases.distinct import Distinct, Share
from rules.phrases.fields import FieldCompared, FieldIs, FieldMissing, FieldWithin
from rules.phrases.logic import AllOf, AnyOf, FlagIs, Not
from tests.support.rules import limits_up_to
from tests.unit.rules.oracle.recount import Sent, at

STATUSES = ("Healthy", "At Risk", "Critical")
LIVE_WITHIN = 60
LAST = 90
"""The last second at which events are sent."""

END = LAST + 130
"""The second by which all events have left every window, including the windows before."""

Phrases = st.SearchStrategy[Condition]

# Phrases

SECONDS = st.one_of(st.integers(1, 10), st.integers(1, 60)).map(lambda s: timedelta(seconds=s))
BOUNDS = st.sampled_from(Bound)
AMOUNTS = st.one_of(
    st.integers(-4, 12).map(Decimal),
    st.sampled_from(["0.1", "0.3", "2.5", "123456789012345678901234567890"]).map(Decimal),
)
PERCENTS = st.one_of(
    st.sampled_from([1, 10, 20, 25, 50, 75, 90, 100]).map(Decimal),
    st.sampled_from(["33.3", "66.66666666666666666666666666667"]).map(Decimal),
)
NUMBER_FIELDS = st.sampled_from(["seats", "limits.seats", "plan", "due"])
TEXT_FIELDS = st.sampled_from(["plan", "seats", "limits.seats", "due"])
DATE_FIELDS = st.sampled_from(["due", "due", "due", "plan", "seats"])
DATA_PATHS = st.sampled_from([("data", "n"), ("data", "deep", "n")])
PLANS: list[Any] = ["Free", "free ", "Pro", "pro", "5", 5, 5.0, True, "true", None]

LIMITS = limits_up_to(4)
"""Comparisons and numbers; drawn together, since filtering invalid pairs discards many examples."""

COUNTS: Phrases = st.builds(lambda limit, window: Count(*limit, window), LIMITS, SECONDS)
NEVERS: Phrases = st.builds(Never, SECONDS, DATE_FIELDS)
IGNORED = st.integers(0, 3).map(Decimal)
DECREASES: Phrases = st.builds(Change, st.just(False), PERCENTS, SECONDS, IGNORED)
INCREASES: Phrases = st.builds(
    Change, st.just(True), st.one_of(PERCENTS, st.just(Decimal(250))), SECONDS, IGNORED
)


def _distinct(of: st.SearchStrategy[tuple[str, ...]]) -> Phrases:
    return st.builds(lambda limit, *rest: Distinct(*limit, *rest), LIMITS, of, SECONDS)


def _amounts(measure: Measure) -> Phrases:
    return st.builds(Amount, st.just(measure), DATA_PATHS, BOUNDS, AMOUNTS, SECONDS)


OF_EVENTS: dict[str, Phrases] = {
    "count": COUNTS,
    "absence": st.builds(Absence, SECONDS),
    "never": NEVERS,
    "distinct users": _distinct(st.just(("user",))),
    "distinct values": _distinct(DATA_PATHS),
    "share": st.builds(Share, BOUNDS, PERCENTS, NUMBER_FIELDS, SECONDS),
    "share of none": st.builds(
        Share,
        st.sampled_from([Bound.ABOVE, Bound.AT_MOST]),
        st.just(Decimal(0)),
        NUMBER_FIELDS,
        SECONDS,
    ),
    "sum": _amounts(Measure.SUM),
    "average": _amounts(Measure.AVERAGE),
    "highest": _amounts(Measure.HIGHEST),
    "lowest": _amounts(Measure.LOWEST),
    "change down": DECREASES,
    "change up": INCREASES,
}
OF_FIELDS: dict[str, Phrases] = {
    "field compared": st.builds(FieldCompared, NUMBER_FIELDS, BOUNDS, AMOUNTS),
    "field is": st.builds(
        FieldIs, TEXT_FIELDS, st.sampled_from(["FREE", "pro", "5", "05.0", "True"]), st.booleans()
    ),
    "field missing": st.builds(FieldMissing, TEXT_FIELDS, st.booleans()),
    "field within": st.builds(FieldWithin, DATE_FIELDS, SECONDS),
}
LEAVES = OF_EVENTS | OF_FIELDS
ANY_LEAF: Phrases = st.one_of(*LEAVES.values())


def flag_is(names: Sequence[str]) -> Phrases:
    """Draw references to one of these flags."""
    levels: list[Level] = [None, 0, 1, 2]
    return st.one_of(
        st.builds(FlagIs, st.sampled_from(names), st.just("-"), st.sampled_from(levels)),
        st.builds(
            FlagIs, st.sampled_from(names), st.just("-"), st.sampled_from([1, 2]), st.just(True)
        ),
    )


def combined(leaves: Phrases) -> Phrases:
    """Draw phrases with `and`, `or` and `not`."""

    def combine(parts: Phrases) -> Phrases:
        operands = st.lists(parts, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            st.builds(AllOf, operands), st.builds(AnyOf, operands), st.builds(Not, parts)
        )

    return combine(st.one_of(leaves, combine(leaves)))


# Books

SELECTORS = st.one_of(
    st.sampled_from(["a", "a", "b", None]).map(Selector),
    st.builds(
        Selector,
        st.sampled_from(["a", None]),
        st.sampled_from([((("kind",), (1, "x")),), ((("kind",), (True,)),)]),
    ),
)
LEVELS: list[tuple[int, ...]] = [(1,), (2,), (2, 1)]
ANY_LEVEL: st.SearchStrategy[Level] = st.sampled_from([None, 0, 1, 2])
NO_TIME = timedelta(0)
APPLIES_TO = st.sampled_from(
    [
        ((("plan",), ("FREE", "pro")),),
        ((("plan",), (5,)),),
        ((("plan",), ("free",)), (("limits", "seats"), (2, "3"))),
    ]
)


def flags(
    name: str, phrases: Phrases, **options: st.SearchStrategy[Any]
) -> st.SearchStrategy[Flag]:
    """Draw flags with one or two levels."""
    conditions = st.sampled_from(LEVELS).flatmap(
        lambda levels: st.tuples(*(st.tuples(st.just(level), phrases) for level in levels))
    )
    return st.builds(Flag, st.just(name), SELECTORS, conditions, **options)


def book(*flags_drawn: Flag) -> RuleBook:
    """Return a book of these flags."""
    return RuleBook(STATUSES, {}, flags_drawn)


def books_of(phrases: Phrases, **options: st.SearchStrategy[Any]) -> st.SearchStrategy[RuleBook]:
    """Draw books of one or two flags."""
    first, second = (flags(name, phrases, **options) for name in "AB")
    return st.one_of(st.builds(book, first), st.builds(book, first, second))


WAITING = st.one_of(st.just(NO_TIME), SECONDS)
MOSTLY_EVENTS: Phrases = st.one_of(ANY_LEAF, COUNTS, combined(ANY_LEAF))
EVERYTHING: dict[str, st.SearchStrategy[Any]] = {
    "wait": WAITING,
    "recover": st.one_of(st.none(), MOSTLY_EVENTS),
    "lasting": WAITING,
    "applies_to": st.one_of(st.just(()), st.just(()), APPLIES_TO),
    "if_missing": ANY_LEVEL,
}


@st.composite
def referring_books(draw: st.DrawFn, options: dict[str, st.SearchStrategy[Any]]) -> RuleBook:
    """Draw books of two or three flags that refer to the flags before them."""
    flags_drawn = [draw(flags("A", MOSTLY_EVENTS, **options))]
    for name in "BC"[: draw(st.integers(1, 2))]:
        leaf = flag_is([flag.name for flag in flags_drawn])
        phrases = st.one_of(leaf, combined(st.one_of(leaf, ANY_LEAF)))
        own = (
            options | {"recover": st.one_of(st.none(), phrases)}
            if "recover" in options
            else options
        )
        flags_drawn.append(draw(flags(name, phrases, **own)))
    return book(*draw(st.permutations(flags_drawn)))


MEMORYLESS: dict[str, st.SearchStrategy[RuleBook]] = {
    name: books_of(phrases) for name, phrases in LEAVES.items()
} | {
    "together": books_of(combined(ANY_LEAF)),
    "wait": books_of(MOSTLY_EVENTS, wait=SECONDS),
    "applies_to": books_of(MOSTLY_EVENTS, applies_to=APPLIES_TO),
    "if_missing": books_of(MOSTLY_EVENTS, if_missing=ANY_LEVEL),
}
"""Books of flags whose level at an instant depends only on the facts at that instant."""

BOOKS: dict[str, st.SearchStrategy[RuleBook]] = MEMORYLESS | {
    "for": books_of(MOSTLY_EVENTS, lasting=SECONDS),
    "recover": books_of(MOSTLY_EVENTS, recover=MOSTLY_EVENTS),
    "for and recover": books_of(COUNTS, lasting=SECONDS, recover=COUNTS),
    "flag is": referring_books({}),
    "everything": st.one_of(books_of(MOSTLY_EVENTS, **EVERYTHING), referring_books(EVERYTHING)),
}

# Histories

DATES = st.one_of(
    st.integers(-80, END + 20).map(lambda second: at(second).isoformat()),
    st.integers(0, END).map(lambda second: f"{at(second):%Y-%m-%d %H:%M:%S}"),
    st.sampled_from(["2024-01-21", "2024-01-21T02:00:30+02:00", "2024-01-20T23:59Z"]),
    st.sampled_from(["2024-02-30", "soon", 20240121, None, True]),
)
SEATS: list[Any] = [1, 2, 3, 4, 10, "3", " 4.5 ", 0, -2, 2.5, None, True, "many", [3]]
NUMBERS: list[Any] = [
    *[0, 1, 1.0, 2, 3, 5, -3, 0.1, 0.2, "2", " 3e0 ", 1e300, -1e300, "1e-300"],
    *[True, False, None, "x", [1], [True], [1.0], {"m": 1}, "123456789012345678901234567890"],
]
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "seats": st.sampled_from(SEATS),
        "limits": st.one_of(
            st.builds(dict, seats=st.sampled_from(SEATS)), st.sampled_from([{}, None, 3])
        ),
        "plan": st.sampled_from(PLANS),
        "due": DATES,
    },
)
SOME_FIELDS = st.one_of(st.just({}), st.just({}), FIELDS)
VALUES = st.one_of(st.sampled_from([1, 2, 3, -3, "2"]), st.sampled_from(NUMBERS))
DATA = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "n": VALUES,
            "kind": st.sampled_from([1, 1.0, True, "x", "y"]),
            "deep": st.one_of(st.builds(dict, n=VALUES), st.just(3)),
        },
    ),
)


def occurrences(seconds: st.SearchStrategy[int]) -> st.SearchStrategy[Occurrence]:
    """Draw events at these seconds."""
    return st.builds(
        Occurrence,
        seconds.map(at),
        st.sampled_from("aaab"),
        DATA,
        st.sampled_from([None, "u", "v", "w"]),
    )


def _sent(seconds: st.SearchStrategy[int], least: int, most: int) -> st.SearchStrategy[list[Sent]]:
    event = st.builds(Sent, occurrences(seconds), SOME_FIELDS)
    return st.lists(event, min_size=least, max_size=most)


HISTORIES = st.tuples(
    st.builds(Sent, occurrences(st.just(0)), FIELDS),
    st.one_of(_sent(st.integers(0, LAST), 0, 12), _sent(st.integers(0, 25), 3, 14)),
).map(lambda parts: sorted([parts[0], *parts[1]], key=lambda sent: sent.second))
"""Events of a company in order, the first at second 0."""


def field_changes(sent: Sequence[Sent]) -> list[FieldChange]:
    """Return the field changes of events sent in order."""
    return [
        FieldChange(event.event.occurred_at, name, value)
        for event in sent
        for name, value in event.company.items()
    ]


def facts_of(sent: Sequence[Sent]) -> FactsInMemory:
    """Return the facts after events sent in order."""
    return FactsInMemory([event.event for event in sent], field_changes(sent))


# A company


@dataclass
class Company:
    """Does in memory what intake, evaluation and clock do to one company's rows."""

    book: RuleBook
    events: list[Occurrence] = field(default_factory=list)
    fields: list[FieldChange] = field(default_factory=list)
    traits: Traits = field(default_factory=lambda: Traits({}))
    unsettled_since: datetime | None = None
    state: CompanyState | None = None
    transitions: list[Transition] = field(default_factory=list)
    known_ids: set[int] = field(default_factory=set)

    def store(self, sent: Sent, now: int) -> None:
        """Store an event, as `services.events.intake` does."""
        if id(sent) in self.known_ids:
            return
        self.known_ids.add(id(sent))
        event, since = sent.event, sent.event.occurred_at
        late = now - sent.second > LIVE_WITHIN
        changes = self.traits.merge_with_history(sent.company, since)
        entries = [(c.field, c.at, c.value) for c in changes]
        entries += [(c.field, *c.newer) for c in changes if c.newer]
        self.fields += [FieldChange(at, field, value) for field, at, value in entries]
        older = not self.events or since < min(e.occurred_at for e in self.events)
        out_of_order = bool(self.events) and since < max(e.occurred_at for e in self.events)
        self.events.append(event)
        changed = {change.field for change in changes if not (change.late and late)}
        matters = self.state is None or any(
            (
                self.state.flags[flag.name].awaits_event
                or (flag.affected_by_late_events and out_of_order)
            )
            and flag.selector.matches(event.event_key, event.data)
            for flag in self.book.flags
        )
        if older or matters or not changed.isdisjoint(self.book.company_fields):
            since = at(now) if late else since
            self.unsettled_since = min(self.unsettled_since or since, since)

    def evaluate(self, now: int) -> None:
        """Evaluate as `services.health.evaluation` and the clock do."""
        first = min(event.occurred_at for event in self.events)
        state = self.state or CompanyState(self.book.statuses[0], first, None, {})
        settlement = settle(
            self.book,
            replace(state, first_seen_at=first),
            FactsInMemory(self.events, self.fields),
            now=at(now),
            unsettled_since=self.unsettled_since,
        )
        self.state, self.unsettled_since = settlement.state, None
        self.transitions += settlement.transitions

    @property
    def levels(self) -> dict[str, Level]:
        """The recorded level of each flag."""
        assert self.state is not None
        return {flag.name: self.state.flags[flag.name].level for flag in self.book.flags}
