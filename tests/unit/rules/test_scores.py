"""The score of a company agrees with its status."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import RuleBook, worst_level
from rules.facts import Selector
from rules.flags import Flag
from rules.language.parser import parse_condition
from rules.phrases.condition import Level
from rules.scores import score_range

QUIET = ((1, parse_condition("no activity for 10 seconds")),)


def book(*weights: float | Decimal, statuses: int = 3) -> RuleBook:
    flags = tuple(
        Flag(f"F{number}", Selector("login"), QUIET, weight=Decimal(str(weight)))
        for number, weight in enumerate(weights)
    )
    return RuleBook(tuple(f"S{number}" for number in range(statuses)), {}, flags)


def named(*levels: Level) -> Mapping[str, Level]:
    return {f"F{number}": level for number, level in enumerate(levels)}


@pytest.mark.parametrize(
    ("weights", "levels", "statuses", "score"),
    [
        ((1,), (0,), 3, 100),
        ((1,), (1,), 3, 50),
        ((1,), (2,), 3, 0),
        ((1,), (1,), 2, 0),
        ((1,), (2,), 4, 33),
        ((1, 1), (0, 2), 3, 25),  # a half of 0 to 49, rounded up
        ((1, 1), (1, 2), 3, 12),
        ((3, 1), (0, 2), 3, 37),
        ((1, 3), (0, 2), 3, 12),
        ((0.5, 1.5), (2, 0), 3, 37),
        ((1, 1), (0, None), 3, 100),
        ((1, 1), (None, None), 3, None),
        ((), (), 3, None),
        ((0, 1), (2, 0), 3, 49),  # without weight, a flag decides the status, not the place
        ((0, 1), (2, None), 3, None),
        ((1, 7), (1, 0), 2, 87),
        ((199, 1), (0, 1), 3, 99),  # never that of the better status
        ((1, 199), (0, 1), 3, 50),
    ],
)
def test_the_worst_flag_decides_the_range_and_the_weights_the_place(
    weights: tuple[float, ...], levels: tuple[Level, ...], statuses: int, score: int | None
) -> None:
    assert book(*weights, statuses=statuses).score(named(*levels)) == score


@pytest.mark.parametrize(
    ("statuses", "ranges"),
    [
        (2, [(100, 100), (0, 99)]),
        (3, [(100, 100), (50, 99), (0, 49)]),
        (6, [(100, 100), (80, 99), (60, 79), (40, 59), (20, 39), (0, 19)]),
    ],
)
def test_the_statuses_below_the_best_share_the_scores(
    statuses: int, ranges: list[tuple[int, int]]
) -> None:
    found = [score_range(level, statuses) for level in range(statuses)]
    assert [(scores[0], scores[-1]) for scores in found] == ranges


@pytest.mark.parametrize("statuses", range(2, 51))
def test_each_score_belongs_to_one_status(statuses: int) -> None:
    found = [score for level in range(statuses) for score in score_range(level, statuses)]
    assert sorted(found) == list(range(101))


def test_a_flag_without_a_level_is_not_part_of_the_score() -> None:
    assert book(1, 1).score({"F0": 1, "gone": 2}) == 50


WEIGHTS = st.sampled_from([Decimal(weight) for weight in ("0", "0.1", "1", "2", "7.5", "1000")])


@st.composite
def books_with_levels(draw: st.DrawFn) -> tuple[RuleBook, tuple[Level, ...], tuple[Level, ...]]:
    """Draw a book, and two assignments of levels to its flags."""
    weights = draw(st.lists(WEIGHTS, min_size=1, max_size=6))
    statuses = draw(st.integers(2, 50))
    level = st.none() | st.integers(0, statuses - 1)
    levels = st.tuples(*(level for _ in weights))
    return book(*weights, statuses=statuses), draw(levels), draw(levels)


@given(books_with_levels())
def test_a_worse_status_always_scores_less(
    drawn: tuple[RuleBook, tuple[Level, ...], tuple[Level, ...]],
) -> None:
    rules, one, other = drawn
    scores = [rules.score(named(*levels)) for levels in (one, other)]
    worst = [worst_level(levels) for levels in (one, other)]
    if scores[0] is not None and scores[1] is not None and worst[0] != worst[1]:
        assert (scores[0] > scores[1]) == (worst[0] < worst[1])
        assert scores[0] != scores[1]
    for score, level in zip(scores, worst, strict=True):
        assert score is None or score in rules.score_range(rules.statuses[level])


@given(books_with_levels(), st.data())
def test_a_flag_that_worsens_never_raises_the_score(
    drawn: tuple[RuleBook, tuple[Level, ...], tuple[Level, ...]], data: st.DataObject
) -> None:
    rules, levels, _ = drawn
    number = data.draw(st.integers(0, len(levels) - 1))
    level = levels[number]
    if level is None or level == len(rules.statuses) - 1:
        return
    worse = data.draw(st.integers(level + 1, len(rules.statuses) - 1))
    before = rules.score(named(*levels))
    after = rules.score(named(*levels[:number], worse, *levels[number + 1 :]))
    assert (before is None) == (after is None)
    assert before is None or after is None or after <= before
