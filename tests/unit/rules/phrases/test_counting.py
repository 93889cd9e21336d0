from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.language.parser import parse_condition
from rules.phrases.counting import Comparison
from tests.support.properties import effort
from tests.support.rules import at, evaluate, event

USERS_IN_10 = "at least {} distinct users in 10 seconds"


@pytest.mark.parametrize(
    ("second", "counts"),
    [(-10.000001, False), (-10, False), (-9.999999, True), (0, True), (0.000001, False)],
)
def test_a_window_of_users_excludes_its_start_and_includes_its_end(
    *, second: float, counts: bool
) -> None:
    events, fields = [event(second, 1, user="a")], {"seats": 1}
    assert evaluate(USERS_IN_10.format(1), events).holds is counts
    assert evaluate("at least 1 distinct data.amount in 10 seconds", events).holds is counts
    share = "distinct users in 10 seconds at least 100% of company.seats"
    assert evaluate(share, events, fields).holds is counts


@pytest.mark.parametrize(
    ("comparison", "holds"),
    [
        ("fewer than", (True, True, False, False)),
        ("at most", (True, True, True, False)),
        ("at least", (False, False, True, True)),
        ("more than", (False, False, False, True)),
    ],
)
def test_distinct_users_are_compared_with_a_number(
    comparison: str, holds: tuple[bool, ...]
) -> None:
    findings = [
        evaluate(
            f"{comparison} 2 distinct users in 10 seconds",
            [event(-1, user=user) for user in "abc"[:number] * 3],
        )
        for number in range(4)
    ]
    assert tuple(finding.holds for finding in findings) == holds


def test_an_event_without_a_user_is_not_counted() -> None:
    assert evaluate(USERS_IN_10.format(1), [event(-1), event(-2)]).evidence == 0


@pytest.mark.parametrize(
    ("values", "number"),
    [
        ([1, 1.0, 1], 1),
        ([1, True, "1"], 3),
        ([0, False, ""], 3),
        (["a", "A"], 2),
        ([[1], [1.0], [True]], 2),
        ([{"x": 1}, {"x": 1.0}, {"x": True}, {}], 3),
        ([[], {}], 2),
        ([None, None], 0),
    ],
)
def test_values_are_distinct_as_in_json(values: list[Any], number: int) -> None:
    events = [event(-1, value) for value in values]
    assert evaluate("fewer than 9 distinct data.amount in 10 seconds", events).evidence == number


def test_the_latest_time_of_the_nth_latest_user_determines_the_next_change() -> None:
    events = [event(-9, user="a"), event(-8, user="b"), event(-5, user="c"), event(-3, user="a")]
    findings = {n: evaluate(USERS_IN_10.format(n), events) for n in (1, 2, 3, 4)}
    assert {n: finding.changes_at for n, finding in findings.items()} == {
        1: at(7),
        2: at(5),
        3: at(2),
        4: None,
    }
    assert [finding.awaits_event for finding in findings.values()] == [False, False, False, True]


USERS = st.lists(st.tuples(st.integers(-12, 0), st.sampled_from("abc") | st.none()), max_size=8)


@effort(3)
@given(st.sampled_from(Comparison), st.integers(1, 4), st.integers(1, 10), USERS)
def test_distinct_users_match_a_recount(
    comparison: Comparison, number: int, window: int, sent: list[tuple[int, str | None]]
) -> None:
    events = [event(second, user=user) for second, user in sent]

    def recount(now: int) -> bool:
        there = len({user for second, user in sent if user and now - window < second})
        return {
            Comparison.LESS_THAN: there < number,
            Comparison.AT_MOST: there <= number,
            Comparison.AT_LEAST: there >= number,
            Comparison.MORE_THAN: there > number,
        }[comparison]

    finding = evaluate(f"{comparison} {number} distinct users in {window} seconds", events)
    different = [now for now in range(1, 12) if recount(now) is not recount(0)]
    assert finding.holds is recount(0)
    assert finding.changes_at == (at(different[0]) if different else None)


# Shares


@pytest.mark.parametrize(
    ("bound", "users", "seats", "holds"),
    [
        ("below 50%", 4, 10, True),
        ("below 50%", 5, 10, False),
        ("below 50%", 5, 11, True),
        ("at most 50%", 5, 10, True),
        ("at most 50%", 6, 11, False),
        ("at most 50%", 6, 12, True),
        ("at least 50%", 5, 10, True),
        ("at least 50%", 5, 11, False),
        ("above 50%", 5, 10, False),
        ("above 50%", 6, 11, True),
        ("at most 0%", 0, 10, True),
        ("at most 0%", 1, 10, False),
        ("above 0%", 0, 10, False),
        ("above 0%", 1, 10, True),
        ("above 100%", 3, 2, True),
        ("at least 33.3%", 1, 3, True),
        ("at least 33.4%", 1, 3, False),
        ("below 50%", 1, "4", True),
        ("below 50%", 1, 2.5, True),
        ("at least 50%", 1, 2.5, False),
        ("below 1%", 3, 1e300, True),
    ],
)
def test_a_share_is_relative_to_a_company_field(
    *, bound: str, users: int, seats: Any, holds: bool
) -> None:
    events = [event(-1, user=f"u{number}") for number in range(users)]
    phrase = f"distinct users in 10 seconds {bound} of company.seats"
    assert evaluate(phrase, events, {"seats": seats}).holds is holds


@pytest.mark.parametrize("seats", [None, 0, -5, "many", True, [5], {}])
def test_a_share_cannot_be_evaluated_unless_the_field_is_a_positive_number(seats: Any) -> None:
    phrase = "distinct users in 10 seconds below 50% of company.seats"
    finding = evaluate(phrase, [event(-1, user="a")], {"seats": seats})
    assert (finding.holds, finding.changes_at) == (None, None)
    description = parse_condition(phrase).describe(finding)
    assert description == "company.seats is not a number above 0"


def test_a_share_describes_how_many_users_there_are() -> None:
    condition = parse_condition("distinct users in 10 seconds below 50% of company.seats")
    events = [event(-3, user="a"), event(-1, user="b")]
    few = evaluate(condition, events, {"seats": 10})
    assert condition.describe(few) == "2 of 10 seats; 50% would be 5"
    enough = evaluate(condition, events, {"seats": 4})
    assert condition.describe(enough) == "2 or more of 4 seats; 50% would be 2"
    assert (few.changes_at, few.awaits_event) == (None, True)
    assert (enough.changes_at, enough.awaits_event) == (at(7), False)


# Deadlines

NEVER = "never within 10 seconds of company.signup_date"


@pytest.mark.parametrize(
    ("now", "events", "holds", "changes_at"),
    [
        (9.999999, [], False, 10),
        (10, [], True, None),
        (99, [], True, None),
        (5, [3], False, None),
        (99, [3], False, None),
        (99, [10], False, None),
        (99, [10.000001], True, None),
        (99, [-500], False, None),
        (5, [7], False, 10),
    ],
)
def test_never_holds_from_the_deadline_if_no_event_occurred_by_then(
    *, now: float, events: list[float], holds: bool, changes_at: float | None
) -> None:
    fields = {"signup_date": at(0).isoformat()}
    finding = evaluate(NEVER, [event(second) for second in events], fields, now=now)
    assert (finding.holds, finding.changes_at) == (holds, changes_at and at(changes_at))


@pytest.mark.parametrize("date", [None, "soon", 5, ""])
def test_never_cannot_be_evaluated_without_a_date(date: Any) -> None:
    finding = evaluate(NEVER, [event(-1)], {"signup_date": date})
    assert finding.holds is None
    assert parse_condition(NEVER).describe(finding) == "company.signup_date is not a date"


@pytest.mark.parametrize(
    ("second", "description"),
    [(3, "done by 2024-01-20 12:00:10 UTC"), (13, "not done by 2024-01-20 12:00:10 UTC")],
)
def test_never_describes_whether_it_was_done(second: int, description: str) -> None:
    finding = evaluate(NEVER, [event(second)], {"signup_date": at(0).isoformat()}, now=20)
    assert parse_condition(NEVER).describe(finding) == description


def test_a_share_reads_no_more_users_than_necessary() -> None:
    condition = parse_condition("distinct users in 1 day above 50% of company.seats")
    assert condition.company_fields == ("seats",)
    events = [event(-1, user=f"u{number}") for number in range(20)]
    assert evaluate(condition, events, {"seats": Decimal(10)}).evidence[:2] == (6, 6)
