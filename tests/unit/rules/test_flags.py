from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import RuleBook, worst_level
from rules.facts import Selector
from rules.facts_in_memory import Occurrence
from rules.flags import Flag, FlagMemory, Reason, Verdict
from rules.language.parser import parse_condition
from rules.language.tree import Vocabulary
from rules.phrases.condition import Condition, Level
from tests.support.properties import effort
from tests.support.rules import at, event, facts_of, situation

LOGINS = Selector("login")
QUIET = "no activity for 10 seconds"


def flag(
    *phrases: tuple[int, str], recover: str | None = None, lasting: float = 0, **others: Any
) -> Flag:
    """Return a flag with a phrase for each level, worst first."""
    conditions = tuple((level, parse_condition(phrase)) for level, phrase in phrases)
    return Flag(
        "Logs in",
        LOGINS,
        conditions,
        recover=parse_condition(recover) if recover else None,
        lasting=timedelta(seconds=lasting),
        **others,
    )


def evaluate(
    evaluated_flag: Flag,
    *events: Occurrence,
    now: float = 0,
    fields: Mapping[str, Any] | None = None,
    before: Level = None,
    holding_since: Mapping[int, datetime] | None = None,
    first_seen: float = -1_000,
) -> Verdict:
    facts = facts_of(events, fields, first_seen=first_seen)
    return evaluated_flag.evaluate(situation(facts, now), FlagMemory(before, holding_since or {}))


def level_and_reason(verdict: Verdict) -> tuple[Level, Reason]:
    return verdict.level, verdict.reason


# Waiting and applying


@pytest.mark.parametrize(
    ("now", "expected", "changes_at"),
    [
        (4.999999, (None, Reason.WAITING), 5),
        (5, (1, Reason.HOLDS), None),
    ],
)
def test_a_flag_waits_until_its_wait_is_over(
    now: float, expected: tuple[Level, Reason], changes_at: float | None
) -> None:
    waiting = flag((1, QUIET), wait=timedelta(seconds=5))
    verdict = evaluate(waiting, now=now, first_seen=0)
    assert level_and_reason(verdict) == expected
    assert verdict.changes_at == (changes_at and at(changes_at))


PLANS = ((("plan",), ("Pro", "Enterprise")), (("limits", "seats"), (5,)))


@pytest.mark.parametrize(
    ("fields", "applies"),
    [
        ({"plan": "Pro", "limits": {"seats": 5}}, True),
        ({"plan": "enterprise", "limits": {"seats": "5.0"}}, True),
        ({"plan": "Free", "limits": {"seats": 5}}, False),
        ({"plan": "Pro", "limits": {"seats": 6}}, False),
        ({"plan": "Pro", "limits": {}}, False),
        ({"plan": None, "limits": {"seats": 5}}, False),
        ({}, False),
    ],
)
def test_a_flag_applies_if_every_field_has_an_accepted_value(
    *, fields: dict[str, Any], applies: bool
) -> None:
    verdict = evaluate(flag((1, QUIET), applies_to=PLANS), fields=fields)
    assert level_and_reason(verdict) == (
        (1, Reason.HOLDS) if applies else (None, Reason.DOES_NOT_APPLY)
    )


def test_a_flag_depends_on_the_fields_that_decide_whether_it_applies() -> None:
    assert flag((1, "company.nps below 7"), applies_to=PLANS).company_fields == {
        "plan",
        "limits",
        "nps",
    }


# Levels and missing fields


@pytest.mark.parametrize(
    ("nps", "seats", "if_missing", "expected"),
    [
        (5, 0, None, (2, Reason.HOLDS)),
        (9, 0, None, (1, Reason.HOLDS)),
        (9, 9, None, (0, Reason.CLEAR)),
        (None, 0, 2, (1, Reason.HOLDS)),
        (None, 9, None, (None, Reason.MISSING)),
        (None, 9, 0, (0, Reason.MISSING)),
        (None, 9, 2, (2, Reason.MISSING)),
        (5, None, 1, (2, Reason.HOLDS)),
        (9, None, 1, (1, Reason.MISSING)),
        (None, None, 0, (0, Reason.MISSING)),
    ],
)
def test_if_missing_decides_only_if_no_phrase_holds(
    nps: int | None, seats: int | None, if_missing: Level, expected: tuple[Level, Reason]
) -> None:
    evaluated_flag = flag(
        (2, "company.nps below 7"), (1, "company.seats below 1"), if_missing=if_missing
    )
    assert (
        level_and_reason(evaluate(evaluated_flag, fields={"nps": nps, "seats": seats})) == expected
    )


# For


def test_a_phrase_must_hold_for_the_required_time_before_its_flag_is_raised() -> None:
    lasting = flag((1, QUIET), lasting=5)
    first = evaluate(lasting, now=0)
    assert (level_and_reason(first), first.holding_since) == ((0, Reason.PENDING), {1: at(0)})
    assert first.changes_at == at(5)
    almost = evaluate(lasting, now=4.999999, before=0, holding_since=first.holding_since)
    assert (level_and_reason(almost), almost.changes_at) == ((0, Reason.PENDING), at(5))
    due = evaluate(lasting, now=5, before=0, holding_since=first.holding_since)
    assert (level_and_reason(due), due.changes_at) == ((1, Reason.HOLDS), None)


def test_the_required_time_restarts_when_a_phrase_stops_holding() -> None:
    lasting = flag((1, QUIET), lasting=5)
    broken = evaluate(lasting, event(1), now=1, before=0, holding_since={1: at(0)})
    assert (level_and_reason(broken), broken.holding_since) == ((0, Reason.CLEAR), {})
    again = evaluate(lasting, event(1), now=11, before=0, holding_since=broken.holding_since)
    assert (level_and_reason(again), again.holding_since) == ((0, Reason.PENDING), {1: at(11)})


def test_a_raised_flag_drops_to_a_milder_level_at_once() -> None:
    lasting = flag((2, QUIET), (1, "less than 2 times in 10 seconds"), lasting=5)
    verdict = evaluate(lasting, event(0), now=0, before=2, holding_since={2: at(-9)})
    assert level_and_reason(verdict) == (1, Reason.HOLDS)


def test_a_worse_level_is_pending_while_a_milder_one_is_raised() -> None:
    lasting = flag((2, QUIET), (1, "less than 2 times in 10 seconds"), lasting=5)
    verdict = evaluate(lasting, now=0, before=1, holding_since={1: at(-9)})
    assert level_and_reason(verdict) == (1, Reason.HOLDS)
    assert (verdict.holding_since, verdict.changes_at) == ({2: at(0), 1: at(-9)}, at(5))


def test_a_flag_without_for_remembers_only_its_level() -> None:
    assert evaluate(flag((1, QUIET)), holding_since={1: at(-9)}).memory == FlagMemory(1, {})


def test_a_threshold_includes_how_long_its_phrase_must_hold() -> None:
    lasting = flag((2, "no activity for 20 seconds"), (1, QUIET), lasting=60)
    assert lasting.threshold(2) == "No activity for 20 seconds, for 1 minute"
    mildest = "No activity for 10 seconds, for 1 minute"
    assert [lasting.threshold(level) for level in (1, 0, None)] == [mildest] * 3


# Recovery


@pytest.mark.parametrize(
    ("logins", "before", "expected"),
    [
        (1, None, (1, Reason.HOLDS)),
        (2, None, (0, Reason.CLEAR)),
        (2, 0, (0, Reason.CLEAR)),
        (2, 1, (1, Reason.RECOVERING)),
        (3, 1, (1, Reason.RECOVERING)),
        (4, 1, (0, Reason.CLEAR)),
        (2, 2, (1, Reason.RECOVERING)),
        (0, 1, (2, Reason.HOLDS)),
        (4, 2, (0, Reason.CLEAR)),
    ],
)
def test_a_raised_flag_stays_at_its_mildest_level_until_it_has_recovered(
    logins: int, before: Level, expected: tuple[Level, Reason]
) -> None:
    sticky = flag(
        (2, QUIET),
        (1, "less than 2 times in 10 seconds"),
        recover="at least 4 times in 10 seconds",
    )
    assert level_and_reason(evaluate(sticky, *[event(-1)] * logins, before=before)) == expected


def test_a_recovery_that_cannot_be_evaluated_has_not_happened() -> None:
    sticky = flag((1, QUIET), recover="company.nps above 7")
    assert level_and_reason(evaluate(sticky, event(-1), before=1)) == (1, Reason.RECOVERING)
    assert level_and_reason(evaluate(sticky, event(-1), before=1, fields={"nps": 8})) == (
        0,
        Reason.CLEAR,
    )
    assert sticky.company_fields == {"nps"}


def test_a_recovery_is_evaluated_only_if_it_matters() -> None:
    sticky = flag((1, QUIET), recover="at least 4 times in 5 seconds")
    assert evaluate(sticky, event(-1), before=0).recovery is None
    raised = evaluate(sticky, event(-1), before=1)
    assert raised.recovery is not None
    assert (raised.changes_at, raised.awaits_event) == (at(9), True)


def test_a_raised_flag_whose_phrase_is_pending_again_recovers_first() -> None:
    sticky = flag((2, QUIET), (1, "company.nps below 7"), lasting=5, recover="company.nps above 8")
    fields = {"nps": 7}
    pending = evaluate(sticky, before=1, fields=fields)
    assert level_and_reason(pending) == (1, Reason.RECOVERING)
    assert pending.changes_at == at(5)
    due = evaluate(sticky, now=5, before=1, fields=fields, holding_since={2: at(0)})
    assert level_and_reason(due) == (2, Reason.HOLDS)


# Warm-up


@pytest.mark.parametrize(
    ("evaluated_flag", "seconds"),
    [
        (flag((1, QUIET)), 0),
        (flag((1, QUIET), lasting=5), 15),
        (flag((1, QUIET), recover="at least 2 times in 30 seconds"), 30),
        (flag((1, "down 50% in 10 seconds"), lasting=1), 21),
        (flag((1, f"company.nps below 7 and not {QUIET}"), lasting=1), 11),
    ],
)
def test_a_flag_with_memory_warms_up_over_everything_it_depends_on(
    evaluated_flag: Flag, seconds: int
) -> None:
    assert evaluated_flag.warm_up == timedelta(seconds=seconds)


def test_ignore_if_applies_to_every_phrase_of_a_flag() -> None:
    vocabulary = Vocabulary(ignore_previous_under=Decimal(3))
    phrase = parse_condition("down 50% in 10 seconds or down 90% in 10 seconds", vocabulary)
    evaluated_flag = Flag("Falls", LOGINS, ((1, phrase),), if_missing=0)
    assert level_and_reason(evaluate(evaluated_flag, *[event(-15)] * 2)) == (0, Reason.MISSING)
    assert level_and_reason(evaluate(evaluated_flag, *[event(-15)] * 3)) == (1, Reason.HOLDS)


# Properties

PHRASES: st.SearchStrategy[Condition] = st.sampled_from(
    [
        "no activity for 3 seconds",
        "less than 2 times in 5 seconds",
        "at least 2 times in 4 seconds",
        "fewer than 2 distinct users in 6 seconds",
        "sum of data.amount above 2 in 4 seconds",
        "average of data.amount below 2 in 5 seconds",
        "down 50% in 3 seconds",
        "not up 50% in 2 seconds",
        "at least 3 times in 7 seconds and no activity for 1 second",
    ]
).map(parse_condition)
EVENTS = st.lists(
    st.builds(event, st.integers(-9, 0), st.none() | st.integers(0, 3), user=st.sampled_from("ab")),
    max_size=6,
)


@effort(4)
@given(
    PHRASES,
    PHRASES,
    st.none() | PHRASES,
    st.integers(0, 3),
    EVENTS,
    st.sampled_from([None, 0, 1, 2]),
    st.dictionaries(st.sampled_from([1, 2]), st.integers(-4, 0).map(at)),
)
def test_a_verdict_is_valid_until_its_predicted_change(  # noqa: PLR0917
    worse: Condition,
    milder: Condition,
    recover: Condition | None,
    lasting: int,
    events: list[Occurrence],
    before: Level,
    holding_since: dict[int, datetime],
) -> None:
    evaluated_flag = Flag(
        "F",
        LOGINS,
        ((2, worse), (1, milder)),
        recover=recover,
        lasting=timedelta(seconds=lasting),
    )
    verdict = evaluate(evaluated_flag, *events, before=before, holding_since=holding_since)
    for now in range(1, 20):
        if verdict.changes_at and at(now) >= verdict.changes_at:
            break
        memory = verdict.memory
        later = evaluate(
            evaluated_flag,
            *events,
            now=now,
            before=memory.level,
            holding_since=memory.holding_since,
        )
        assert (later.level, later.holding_since) == (verdict.level, verdict.holding_since)


@given(st.lists(st.sampled_from([None, 0, 1, 2]), max_size=5))
def test_the_level_of_a_company_is_that_of_its_worst_flag(levels: list[Level]) -> None:
    assert worst_level(levels) == max([level or 0 for level in levels], default=0)


def test_flags_are_evaluated_after_the_flags_they_refer_to() -> None:
    first, second, third = (
        Flag(name, LOGINS, ((1, parse_condition(phrase)),))
        for name, phrase in [
            ("A", "flag B is At Risk and flag C is At Risk"),
            ("B", QUIET),
            ("C", "not flag B is Healthy"),
        ]
    )
    order = RuleBook(("Healthy", "At Risk"), {}, (first, second, third)).in_dependency_order
    assert [evaluated_flag.name for evaluated_flag in order] == ["B", "C", "A"]


def test_flags_with_different_weights_and_notes_are_equal() -> None:
    heavy, light = (flag((1, QUIET), weight=Decimal(weight)) for weight in (1, 2))
    assert heavy == light
