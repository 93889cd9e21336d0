"""Support for tests of phrases: facts at whole seconds, evaluation at one, random phrases."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from rules.durations import MAX_WINDOW, UNITS
from rules.facts import USER, Selector
from rules.facts_in_memory import FactsInMemory, FieldChange, Occurrence
from rules.language.parser import parse_condition
from rules.language.tree import MAX_TIMES, Vocabulary
from rules.phrases.amounts import Amount, Change, Measure
from rules.phrases.condition import Bound, Condition, Finding, Level, Situation
from rules.phrases.counting import Absence, Comparison, Count, Never
from rules.phrases.distinct import Distinct, Share
from rules.phrases.fields import FieldCompared, FieldIs, FieldMissing, FieldWithin
from rules.phrases.logic import AllOf, AnyOf, FlagIs, Not
from rules.statuses import DEFAULT_STATUSES, NOT_APPLICABLE

NOON = datetime(2024, 1, 20, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(second: float, amount: Any = None, *, user: str | None = None) -> Occurrence:
    """Return a login, with an amount in its data unless that is None."""
    return Occurrence(at(second), "login", None if amount is None else {"amount": amount}, user)


class Flags:
    """Other flags with the given levels and next changes."""

    def __init__(self, levels: Mapping[str, Level], changes: Mapping[str, datetime]) -> None:
        self.levels = levels
        self.changes = changes

    def level(self, flag: str, _at: datetime) -> Level:
        return self.levels[flag]

    def next_change(self, flag: str, _after: datetime) -> datetime | None:
        return self.changes.get(flag)


def facts_of(
    events: Iterable[Occurrence] = (),
    fields: Mapping[str, Any] | None = None,
    *,
    first_seen: float = -1_000,
) -> FactsInMemory:
    """Return facts with fields that never changed."""
    changes = [FieldChange(at(-1_000), name, value) for name, value in (fields or {}).items()]
    return FactsInMemory(events, changes, first_seen_at=at(first_seen))


def situation(
    facts: FactsInMemory,
    now: float,
    levels: Mapping[str, Level] | None = None,
    changes: Mapping[str, datetime] | None = None,
) -> Situation:
    return Situation(facts, Selector("login"), at(now), Flags(levels or {}, changes or {}))


def evaluate(
    phrase: str | Condition,
    events: Iterable[Occurrence] = (),
    fields: Mapping[str, Any] | None = None,
    *,
    now: float = 0,
) -> Finding:
    """Evaluate a phrase at a second."""
    condition = parse_condition(phrase) if isinstance(phrase, str) else phrase
    return condition.evaluate(situation(facts_of(events, fields), now))


# Random phrases, as a rule file can contain them

IGNORED_UNDER = Decimal(20)
VOCABULARY = Vocabulary(ignore_previous_under=IGNORED_UNDER)

windows = st.builds(
    lambda unit, share: max(1, round(share * (MAX_WINDOW // unit))) * unit,
    st.sampled_from(list(UNITS.values())),
    st.one_of(st.floats(0, 1), st.floats(0, 1e-4)),
)
names = st.text(
    st.characters(exclude_characters='.()",%<>=', exclude_categories=["Z", "C"]),
    min_size=1,
    max_size=5,
).filter(lambda name: not any(character.isspace() for character in name))
paths = st.lists(names, min_size=1, max_size=3).map(tuple)
company_fields = paths.map(".".join)
numbers = st.one_of(
    st.integers(-(10**28), 10**29).map(Decimal),
    st.decimals(-1000, 1000, places=3),
)
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
    st.lists(
        st.sampled_from(
            ["and", "Or", "is", "not", "missing", "worse", "At", "Risk", '"', "(", "5", "%", "in"]
        ),
        min_size=1,
        max_size=3,
    ).map(" ".join),
).filter(str.strip)
statuses = st.sampled_from([*enumerate(DEFAULT_STATUSES), (None, NOT_APPLICABLE)])


def limits_up_to(number: int) -> st.SearchStrategy[tuple[Comparison, int]]:
    """Draw comparisons with numbers; `less than 0` and `at least 0` are not valid."""
    return st.one_of(
        st.tuples(
            st.sampled_from([Comparison.AT_MOST, Comparison.MORE_THAN]), st.integers(0, number)
        ),
        st.tuples(
            st.sampled_from([Comparison.LESS_THAN, Comparison.AT_LEAST]), st.integers(1, number)
        ),
    )


limits = limits_up_to(MAX_TIMES)
counts = st.builds(lambda limit, window: Count(*limit, window), limits, windows)
distinct = st.builds(
    lambda limit, *rest: Distinct(*limit, *rest),
    limits,
    st.one_of(st.just(USER), paths.map(lambda path: ("data", *path))),
    windows,
)


def percents_up_to(most: int) -> st.SearchStrategy[Decimal]:
    """Draw percentages above 0."""
    return st.one_of(
        st.integers(1, 100).map(Decimal),
        st.decimals(Decimal("0.01"), most, places=2, allow_nan=False),
    )


changes = st.one_of(
    st.builds(Change, st.just(False), percents_up_to(100), windows, st.just(IGNORED_UNDER)),
    st.builds(Change, st.just(True), percents_up_to(1_000_000), windows, st.just(IGNORED_UNDER)),
)
decided_at_zero = st.sampled_from([Bound.ABOVE, Bound.AT_MOST])
shares = st.one_of(
    st.tuples(decided_at_zero, st.just(Decimal(0))),
    st.tuples(st.sampled_from(Bound), percents_up_to(1_000_000)),
)
phrases: st.SearchStrategy[Condition] = st.one_of(
    counts,
    distinct,
    changes,
    st.builds(Absence, windows),
    st.builds(Never, windows, company_fields),
    st.builds(
        lambda share, field, window: Share(*share, field, window), shares, company_fields, windows
    ),
    st.builds(
        Amount,
        st.sampled_from(Measure),
        paths.map(lambda path: ("data", *path)),
        st.sampled_from(Bound),
        numbers,
        windows,
    ),
    st.builds(FieldCompared, company_fields, st.sampled_from(Bound), numbers),
    st.builds(FieldIs, company_fields, texts, st.booleans()),
    st.builds(FieldMissing, company_fields, st.booleans()),
    st.builds(FieldWithin, company_fields, windows),
    st.builds(
        lambda flag, status, worse: FlagIs(
            flag, status[1], status[0], worse and status[0] is not None
        ),
        texts,
        statuses,
        st.booleans(),
    ),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    phrases,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)
