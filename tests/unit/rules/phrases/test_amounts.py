from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.facts_in_memory import Occurrence
from rules.language.parser import parse_condition
from rules.phrases.amounts import Amount, Change, Measure, Measured
from rules.phrases.condition import Bound, Condition
from tests.support.properties import effort
from tests.support.rules import at, evaluate, event

LIMITS = ("below 10", "at most 10", "at least 10", "above 10")


@pytest.mark.parametrize(
    ("second", "counts"), [(-10.000001, False), (-10, False), (-9.999999, True), (0, True)]
)
def test_a_window_of_amounts_excludes_its_start_and_includes_its_end(
    *, second: float, counts: bool
) -> None:
    events = [event(second, 5)]
    assert evaluate("sum of data.amount at least 5 in 10 seconds", events).holds is counts
    expected = True if counts else None
    assert evaluate("highest of data.amount at least 5 in 10 seconds", events).holds is expected


@pytest.mark.parametrize(
    ("amounts", "holds"),
    [
        ([], (True, True, False, False)),
        ([9.9], (True, True, False, False)),
        ([4, 6], (False, True, True, False)),
        ([4, "6.5"], (False, False, True, True)),
        ([20, -11], (True, True, False, False)),
        ([0.1] * 100, (False, True, True, False)),
        ([1e300, 10, -1e300], (False, True, True, False)),
        ([10, True, None, "ten", [5], {"a": 5}], (False, True, True, False)),
    ],
)
def test_a_sum_is_exact_and_leaves_out_values_that_are_not_numbers(
    amounts: list[Any], holds: tuple[bool, ...]
) -> None:
    events = [event(-1, amount) for amount in amounts]
    findings = [evaluate(f"sum of data.amount {limit} in 10 seconds", events) for limit in LIMITS]
    assert tuple(finding.holds for finding in findings) == holds


@pytest.mark.parametrize(
    ("measure", "amounts", "evidence"),
    [
        ("sum", [1, 2, 6], "9"),
        ("average", [1, 2, 6], "3"),
        ("highest", [1, 6, 2], "6"),
        ("lowest", [2, 1, 6], "1"),
        ("average", [1, 1, 2], "1.33"),
        ("lowest", [-1, "-1.5", "x"], "-1.5"),
        ("sum", [], "0"),
        ("average", [], None),
        ("highest", [], None),
        ("lowest", ["x", None, True], None),
    ],
)
def test_each_measure_is_taken_of_the_numbers_in_the_window(
    measure: str, amounts: list[Any], evidence: str | None
) -> None:
    finding = evaluate(
        f"{measure} of data.amount below 7 in 10 seconds",
        [event(-1, amount) for amount in amounts],
    )
    value = None if evidence is None else Decimal(evidence)
    assert finding.evidence == Measured(value, has_events=bool(amounts))
    assert finding.holds is (None if evidence is None else Decimal(evidence) < 7)


def test_an_average_is_compared_exactly() -> None:
    thirds = [event(-1, amount) for amount in (0, 0, 1)]
    assert evaluate("average of data.amount above 0.333333333333333333 in 1 minute", thirds).holds
    assert not evaluate(
        "average of data.amount above 0.333333333333333334 in 1 minute", thirds
    ).holds


@pytest.mark.parametrize(
    ("phrase", "holds", "changes_at"),
    [
        ("sum of data.amount at least 6 in 10 seconds", True, 6),
        ("sum of data.amount at least 3 in 10 seconds", True, 8),
        ("sum of data.amount at least 2 in 10 seconds", True, 8),
        ("sum of data.amount below 2 in 10 seconds", False, 8),
        ("sum of data.amount below 0 in 10 seconds", False, None),
        ("highest of data.amount above 3 in 10 seconds", True, 6),
        ("highest of data.amount at least 2 in 10 seconds", True, 8),
        ("highest of data.amount at least 1 in 10 seconds", True, 9),
        ("lowest of data.amount below 2 in 10 seconds", True, 9),
        ("lowest of data.amount at least 2 in 10 seconds", False, 9),
        ("average of data.amount above 2 in 10 seconds", True, 6),
        ("average of data.amount above 9 in 10 seconds", False, 9),
    ],
)
def test_amounts_leaving_the_window_determine_when_a_phrase_changes(
    *, phrase: str, holds: bool, changes_at: int | None
) -> None:
    events = [event(-4, 4), event(-2, 2), event(-1, 1)]
    finding = evaluate(phrase, events)
    assert (finding.holds, finding.changes_at) == (holds, changes_at and at(changes_at))


@pytest.mark.parametrize(
    ("phrase", "amount", "awaits"),
    [
        ("sum of data.amount below 5 in 10 seconds", 1, True),
        ("average of data.amount below 5 in 10 seconds", 1, True),
        ("highest of data.amount below 5 in 10 seconds", 1, True),
        ("highest of data.amount below 5 in 10 seconds", 9, False),
        ("highest of data.amount above 5 in 10 seconds", 1, True),
        ("highest of data.amount above 5 in 10 seconds", 9, False),
        ("lowest of data.amount below 5 in 10 seconds", 1, False),
        ("lowest of data.amount below 5 in 10 seconds", 9, True),
        ("lowest of data.amount above 5 in 10 seconds", 1, False),
        ("lowest of data.amount above 5 in 10 seconds", 9, True),
        ("lowest of data.amount above 5 in 10 seconds", None, True),
    ],
)
def test_an_extreme_awaits_events_unless_one_in_the_window_decides_it(
    *, phrase: str, amount: int | None, awaits: bool
) -> None:
    assert evaluate(phrase, [event(-1, amount)]).awaits_event is awaits


def described(phrase: str, *events: Occurrence) -> str:
    return parse_condition(phrase).describe(evaluate(phrase, events))


def test_a_sum_describes_its_value() -> None:
    phrase = "sum of data.amount below 10 in 10 seconds"
    assert described(phrase, event(-1, 7.5)) == "sum of data.amount is 7.5"
    assert described("highest of data.amount below 10 in 1 day") == "no highest of data.amount"


# Change


@pytest.mark.parametrize(
    ("phrase", "before", "now", "holds"),
    [
        ("down 50% in 10 seconds", 4, 2, True),
        ("down 50% in 10 seconds", 4, 3, False),
        ("down 50% in 10 seconds", 4, 0, True),
        ("down 100% in 10 seconds", 4, 0, True),
        ("down 100% in 10 seconds", 4, 1, False),
        ("down 33.4% in 10 seconds", 3, 2, False),
        ("down 33.3% in 10 seconds", 3, 2, True),
        ("up 50% in 10 seconds", 2, 3, True),
        ("up 50% in 10 seconds", 4, 5, False),
        ("up 150% in 10 seconds", 2, 5, True),
        ("up 1% in 10 seconds", 2, 2, False),
        ("down 1% in 10 seconds", 2, 2, False),
        ("down 50% in 10 seconds", 0, 5, None),
        ("up 50% in 10 seconds", 0, 5, None),
        ("up 50% in 10 seconds", 0, 0, None),
    ],
)
def test_events_of_a_window_are_compared_with_the_window_before(
    *, phrase: str, before: int, now: int, holds: bool | None
) -> None:
    finding = evaluate(phrase, [event(-15)] * before + [event(-5)] * now)
    assert (finding.holds, finding.evidence) == (holds, (before, now))


@pytest.mark.parametrize(
    ("second", "evidence"),
    [
        (-20, (0, 0)),
        (-19.999999, (1, 0)),
        (-10, (1, 0)),
        (-9.999999, (0, 1)),
        (0, (0, 1)),
        (0.000001, (0, 0)),
    ],
)
def test_each_event_is_in_exactly_one_of_the_two_windows(
    second: float, evidence: tuple[int, int]
) -> None:
    assert evaluate("down 50% in 10 seconds", [event(second)]).evidence == evidence


@pytest.mark.parametrize(("before", "holds"), [(3, None), (4, True)])
def test_a_change_is_not_evaluated_with_too_few_events_before(
    *, before: int, holds: bool | None
) -> None:
    change = Change(False, Decimal(50), timedelta(seconds=10), Decimal(4))
    assert evaluate(change, [event(-15)] * before).holds is holds


def test_a_change_looks_back_over_both_windows() -> None:
    assert parse_condition("up 5% in 3 days").lookback == timedelta(days=6)


# Properties of all kinds

tens = st.integers(1, 5).map(lambda length: timedelta(seconds=length))
small = st.integers(-3, 4).map(Decimal)
amounts: st.SearchStrategy[Condition] = st.builds(
    Amount,
    st.sampled_from(Measure),
    st.just(("data", "amount")),
    st.sampled_from(Bound),
    small,
    tens,
)
changes: st.SearchStrategy[Condition] = st.builds(
    Change,
    st.booleans(),
    st.sampled_from([Decimal(percent) for percent in (1, 34, 50, 100)]),
    tens,
    st.integers(0, 3).map(Decimal),
)
sent = st.tuples(st.integers(-12, 0), st.one_of(st.none(), st.integers(-3, 4)))


@effort(6)
@given(amounts | changes, st.lists(sent, max_size=6))
def test_a_phrase_changes_at_the_first_instant_with_another_result(
    condition: Condition, events: list[tuple[int, int | None]]
) -> None:
    earlier = [event(second, amount) for second, amount in events]
    now = evaluate(condition, earlier)
    different = [
        n for n in range(1, 15) if evaluate(condition, earlier, now=n).holds is not now.holds
    ]
    assert now.changes_at == (at(different[0]) if different else None)


@effort(6)
@given(amounts | changes, st.lists(sent, max_size=6), st.lists(sent, min_size=1, max_size=3))
def test_no_event_changes_a_phrase_that_awaits_none_before_its_next_change(
    condition: Condition,
    events: list[tuple[int, int | None]],
    later: list[tuple[int, int | None]],
) -> None:
    earlier = [event(second, amount) for second, amount in events]
    following = [event(-second, amount) for second, amount in later]
    now = evaluate(condition, earlier)
    for second in range(15):
        if now.awaits_event or (now.changes_at and at(second) >= now.changes_at):
            break
        arrived = [further for further in following if further.occurred_at <= at(second)]
        assert evaluate(condition, earlier + arrived, now=second).holds is now.holds
