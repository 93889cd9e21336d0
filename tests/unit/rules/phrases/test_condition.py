from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import RuleBook
from rules.facts import Facts, Selector
from rules.facts_in_memory import FactsInMemory, Occurrence
from rules.flags import Flag, FlagMemory, Reason, Verdict
from rules.phrases.condition import Condition, Finding, Level, Situation
from rules.phrases.counting import Absence, Comparison, Count
from tests.support.properties import effort

NOON = datetime(2024, 1, 20, 12, tzinfo=UTC)
TICK = timedelta.resolution
WEEK = timedelta(days=7)
LOGIN = Selector("login")


def ticks(number: int) -> datetime:
    """Return the instant after some microseconds, so that adjacent instants can be tested."""
    return NOON + number * TICK


class NoFlags:
    """Other flags, for phrases that do not refer to any."""

    def level(self, flag: str, at: datetime) -> Level:
        raise AssertionError(f"the level of {flag} at {at} was read")

    def next_change(self, flag: str, after: datetime) -> datetime | None:
        raise AssertionError(f"the next change of {flag} after {after} was read")


def situation(facts: Facts, at: datetime) -> Situation:
    return Situation(facts, LOGIN, at, NoFlags())


def evaluate(condition: Condition, times: Iterable[datetime], at: datetime) -> Finding:
    """Evaluate a condition at an instant, with logins at these times."""
    return condition.evaluate(situation(FactsInMemory(Occurrence(t, "login") for t in times), at))


def evaluate_flag(flag: Flag, facts: Facts, at: datetime) -> Verdict:
    return flag.evaluate(situation(facts, at), FlagMemory())


def depth_of(condition: Condition) -> int:
    """Return the N of the N-th latest event that decides."""
    return condition.depth if isinstance(condition, Count) else 1


def recount(condition: Condition, times: list[int], at: int) -> bool:
    """Return whether a condition holds, by counting the events of its window."""
    if isinstance(condition, Absence):
        condition = Count(Comparison.LESS_THAN, 1, condition.window)
    assert isinstance(condition, Count)
    count = len([time for time in times if ticks(at) - condition.window < ticks(time) <= ticks(at)])
    return {
        Comparison.LESS_THAN: count < condition.times,
        Comparison.AT_MOST: count <= condition.times,
        Comparison.AT_LEAST: count >= condition.times,
        Comparison.MORE_THAN: count > condition.times,
    }[condition.comparison]


WINDOWS = st.integers(1, 9).map(lambda length: length * TICK)
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Count, st.sampled_from(Comparison), st.integers(0, 4), WINDOWS).filter(
        lambda count: count.depth > 0
    ),
    st.builds(Absence, WINDOWS),
)
TIMES = st.lists(st.integers(0, 25), max_size=8)


@pytest.mark.parametrize(
    ("occurred_at", "counts"),
    [
        (NOON - WEEK - TICK, False),
        (NOON - WEEK, False),
        (NOON - WEEK + TICK, True),
        (NOON - TICK, True),
        (NOON, True),
    ],
)
def test_a_window_excludes_its_start_and_includes_its_end(
    *, occurred_at: datetime, counts: bool
) -> None:
    assert evaluate(Count(Comparison.AT_LEAST, 1, WEEK), [occurred_at], NOON).holds is counts
    assert evaluate(Count(Comparison.LESS_THAN, 1, WEEK), [occurred_at], NOON).holds is not counts
    assert evaluate(Absence(WEEK), [occurred_at], NOON).holds is not counts


@pytest.mark.parametrize(
    ("condition", "events", "holds", "awaits_event"),
    [
        (Count(Comparison.LESS_THAN, 2, WEEK), 1, True, True),
        (Count(Comparison.LESS_THAN, 2, WEEK), 2, False, False),
        (Count(Comparison.AT_MOST, 2, WEEK), 2, True, True),
        (Count(Comparison.AT_MOST, 2, WEEK), 3, False, False),
        (Count(Comparison.AT_LEAST, 2, WEEK), 1, False, True),
        (Count(Comparison.AT_LEAST, 2, WEEK), 2, True, False),
        (Count(Comparison.MORE_THAN, 2, WEEK), 2, False, True),
        (Count(Comparison.MORE_THAN, 2, WEEK), 3, True, False),
        (Count(Comparison.AT_MOST, 0, WEEK), 0, True, True),
        (Count(Comparison.MORE_THAN, 0, WEEK), 1, True, False),
        (Absence(WEEK), 0, True, True),
        (Absence(WEEK), 1, False, False),
    ],
)
def test_a_count_holds_on_one_side_of_its_number(
    *, condition: Condition, events: int, holds: bool, awaits_event: bool
) -> None:
    latest = [NOON - timedelta(hours=hours) for hours in range(events)]
    finding = evaluate(condition, latest, NOON)
    assert (finding.holds, finding.awaits_event) == (holds, awaits_event)


def test_the_nth_latest_event_determines_when_a_count_changes() -> None:
    latest = [NOON - timedelta(days=1), NOON - timedelta(days=2), NOON - timedelta(days=3)]
    finding = evaluate(Count(Comparison.LESS_THAN, 2, WEEK), latest, NOON)
    assert finding == Finding(
        holds=False, changes_at=NOON + timedelta(days=5), awaits_event=False, evidence=2
    )


def test_only_an_event_changes_a_count_that_is_too_low() -> None:
    finding = evaluate(Count(Comparison.AT_LEAST, 3, WEEK), [NOON - TICK], NOON)
    assert finding == Finding(holds=False, changes_at=None, awaits_event=True, evidence=1)


@pytest.mark.parametrize(
    ("condition", "depth"),
    [
        (Count(Comparison.LESS_THAN, 5, WEEK), 5),
        (Count(Comparison.AT_LEAST, 5, WEEK), 5),
        (Count(Comparison.AT_MOST, 5, WEEK), 6),
        (Count(Comparison.MORE_THAN, 5, WEEK), 6),
        (Absence(WEEK), 1),
    ],
)
def test_a_condition_reads_no_further_than_the_deciding_event(
    condition: Condition, depth: int
) -> None:
    latest = [NOON - timedelta(hours=hours) for hours in range(10)]
    assert evaluate(condition, latest, NOON) == evaluate(condition, latest[:depth], NOON)
    assert evaluate(condition, latest, NOON).evidence == depth


@effort(3)
@given(CONDITIONS, TIMES, st.integers(0, 40))
def test_a_condition_holds_exactly_when_a_recount_does(
    condition: Condition, times: list[int], at: int
) -> None:
    assert evaluate(condition, map(ticks, times), ticks(at)).holds == recount(condition, times, at)


@effort(3)
@given(CONDITIONS, TIMES, st.integers(0, 40))
def test_a_condition_changes_at_the_first_instant_at_which_a_recount_differs(
    condition: Condition, times: list[int], at: int
) -> None:
    earlier = [time for time in times if time <= at]
    now = recount(condition, earlier, at)
    different = [i for i in range(at, at + 12) if recount(condition, earlier, i) != now]
    changes_at = evaluate(condition, map(ticks, times), ticks(at)).changes_at
    assert changes_at == (ticks(different[0]) if different else None)


@effort(3)
@given(CONDITIONS, TIMES, st.integers(0, 40))
def test_a_condition_awaits_events_exactly_when_more_of_them_would_change_it(
    condition: Condition, times: list[int], at: int
) -> None:
    earlier = [time for time in times if time <= at]
    changed = recount(condition, earlier + [at] * depth_of(condition), at) != recount(
        condition, earlier, at
    )
    assert evaluate(condition, map(ticks, times), ticks(at)).awaits_event == changed


@effort(3)
@given(CONDITIONS, TIMES, st.integers(0, 40))
def test_the_evidence_is_the_count_of_the_window_capped_at_the_depth(
    condition: Condition, times: list[int], at: int
) -> None:
    window = condition.window if isinstance(condition, Count | Absence) else None
    assert window is not None
    count = len([time for time in times if ticks(at) - window < ticks(time) <= ticks(at)])
    evidence = evaluate(condition, map(ticks, times), ticks(at)).evidence
    assert evidence == min(count, depth_of(condition))


def flag(*conditions: tuple[int, Condition], wait: timedelta = timedelta(0)) -> Flag:
    return Flag("Logs in", LOGIN, conditions, wait)


def logins(times: list[int]) -> FactsInMemory:
    """Return the facts of a company known since noon."""
    return FactsInMemory((Occurrence(ticks(t), "login") for t in times), first_seen_at=NOON)


TWO_LEVELS = flag(
    (2, Absence(WEEK)),
    (1, Count(Comparison.LESS_THAN, 3, WEEK)),
)


@pytest.mark.parametrize(
    ("events", "level", "count", "threshold"),
    [
        (0, 2, 0, "No activity for 7 days"),
        (1, 1, 1, "Less than 3 times in 7 days"),
        (2, 1, 2, "Less than 3 times in 7 days"),
        (3, 0, 3, "Less than 3 times in 7 days"),
        (9, 0, 3, "Less than 3 times in 7 days"),
    ],
)
def test_a_flag_is_at_the_worst_level_whose_condition_holds(
    events: int, level: int, count: int, threshold: str
) -> None:
    verdict = evaluate_flag(TWO_LEVELS, logins(list(range(events))), NOON + timedelta(days=1))
    deciding = dict(zip((2, 1), verdict.findings, strict=True)).get(level, verdict.findings[-1])
    assert (verdict.level, deciding.evidence) == (level, count)
    assert TWO_LEVELS.threshold(level) == threshold


def test_a_flag_waits_until_the_company_is_known_long_enough() -> None:
    waiting = flag((1, Absence(WEEK)), wait=timedelta(days=3))
    until = NOON + timedelta(days=3)
    assert evaluate_flag(waiting, logins([]), until - TICK) == Verdict(
        None, Reason.WAITING, changes_at=until, awaits_event=False
    )
    assert evaluate_flag(waiting, logins([]), until) == Verdict(
        1,
        Reason.HOLDS,
        changes_at=None,
        awaits_event=True,
        findings=(Finding(holds=True, awaits_event=True, evidence=0),),
    )


def test_a_flag_ignores_events_of_other_keys_and_future_events() -> None:
    facts = FactsInMemory(
        [
            Occurrence(NOON - WEEK, "login"),
            Occurrence(NOON - TICK, "export"),
            Occurrence(NOON + TICK, "login"),
        ]
    )
    assert evaluate_flag(flag((1, Absence(WEEK))), facts, NOON).level == 1
    assert evaluate_flag(flag((1, Absence(WEEK))), facts, NOON + TICK).level == 0


@effort(3)
@given(CONDITIONS, CONDITIONS, TIMES, st.integers(0, 40), st.integers(0, 9))
def test_a_verdict_is_valid_until_its_predicted_change(
    worse: Condition, milder: Condition, times: list[int], at: int, wait: int
) -> None:
    two_levels = flag((2, worse), (1, milder), wait=wait * TICK)
    earlier = logins([time for time in times if time <= at])
    verdict = evaluate_flag(two_levels, earlier, ticks(at))
    changes_at = verdict.changes_at or ticks(at + 20)
    assert changes_at > ticks(at)
    later = at
    while ticks(later) < changes_at:
        assert evaluate_flag(two_levels, earlier, ticks(later)).level == verdict.level
        later += 1


@effort(3)
@given(CONDITIONS, CONDITIONS, TIMES, st.integers(0, 40), st.integers(1, 8))
def test_an_event_does_not_change_a_verdict_that_awaits_none(
    worse: Condition, milder: Condition, times: list[int], at: int, more: int
) -> None:
    two_levels = flag((2, worse), (1, milder))
    earlier = [time for time in times if time <= at]
    before = evaluate_flag(two_levels, logins(earlier), ticks(at))
    after = evaluate_flag(two_levels, logins(earlier + [at] * more), ticks(at))
    assert before.awaits_event or after.level == before.level


def test_a_book_names_its_levels() -> None:
    book = RuleBook(("Good", "Poor"), {}, (TWO_LEVELS,))
    assert [book.status_name(level) for level in (0, 1, None)] == ["Good", "Poor", "N/A"]
    assert [book.level_of(name) for name in ("Good", "Poor", "N/A", None)] == [0, 1, None, None]
    assert book.flags_by_name == {"Logs in": TWO_LEVELS}


def test_an_unknown_status_counts_as_the_best() -> None:
    assert RuleBook(("Good", "Poor"), {}, ()).level_of("Dreadful") == 0
