"""Flags snoozed and overridden at random, against a recount of how they count at every second."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import RuleBook, worst_level
from rules.judging.overrides import effective_levels
from rules.judging.state import Cause, Override
from rules.phrases.condition import Level
from tests.unit.rules.oracle.histories import (
    BOOKS,
    END,
    HISTORIES,
    LAST,
    STATUSES,
    TIME_LIMIT,
    Company,
    cases,
)
from tests.unit.rules.oracle.recount import Crossing, Recount, Sent, at, crossings, second_of

pytestmark = pytest.mark.timeout(TIME_LIMIT)

KINDS = ["count", "never", "for and recover", "flag is", "everything"]


@dataclass(frozen=True)
class Word:
    """What somebody says of a flag at a second: a level for so long, or with None that is over.

    `level` None is a snooze; `ends` alone ends what is in force.
    """

    second: int
    flag: str
    level: Level = None
    lasts: int | None = None
    ends: bool = False


WORDS = st.lists(
    st.one_of(
        st.builds(
            Word,
            st.integers(1, LAST),
            st.sampled_from("AB"),
            st.sampled_from([None, 0, 1, 2]),
            st.one_of(st.none(), st.integers(1, 60)),
        ),
        st.builds(Word, st.integers(1, LAST), st.sampled_from("AB"), ends=st.just(True)),
    ),
    max_size=6,
)
CLOCKS = st.lists(st.integers(0, END), max_size=8)


class Overridden(Company):
    """A company of which people override flags; see `services.health.overrides`."""

    def say(self, word: Word, number: int) -> None:
        """Write what somebody says; nothing is judged by it yet."""
        assert self.state is not None
        now = at(word.second)
        kept = [_ended(one, word.flag, now) for one in self.state.overrides]
        if not word.ends:
            status = None if word.level is None else STATUSES[word.level]
            ends_at = None if word.lasts is None else at(word.second + word.lasts)
            kept.append(Override(number, word.flag, status, now, ends_at))
        self.state = replace(self.state, overrides=tuple(kept))


def _ended(one: Override, flag: str, now: datetime) -> Override:
    if one.flag != flag or (one.ends_at is not None and one.ends_at <= now):
        return one
    return replace(one, ends_at=now)


def sayable(book: RuleBook, words: Iterable[Word]) -> list[Word]:
    return sorted((w for w in words if w.flag in book.flags_by_name), key=lambda w: w.second)


def followed(
    book: RuleBook,
    sent: Sequence[Sent],
    words: Sequence[Word],
    clocks: Iterable[int] = (),
    lost: Iterable[int] = (),
) -> Overridden:
    """A company evaluated as events come and people say something, and by clocks.

    What is said in a second of which the evaluation is lost is recorded at the next.
    """
    company = Overridden(book)
    clocks, lost = set(clocks), set(lost)
    for second in range(END + 1):
        arriving = [one for one in sent if one.second == second]
        for one in arriving:
            company.store(one, second)
        if company.state is None:
            company.evaluate(second)  # somebody must know a company before it is spoken of
        said = [(n, word) for n, word in enumerate(words) if word.second == second]
        for number, word in said:
            company.say(word, number)
        due = company.unsettled_since is not None or said
        if second in clocks or second == END or (due and second not in lost):
            company.evaluate(second)
    return company


def pluralize(words: Iterable[Word], own: dict[str, Level], second: int) -> dict[str, Level]:
    """As which level each flag counts at a second: by the last word that holds."""
    levels = dict(own)
    for flag in own:
        said = [word for word in words if word.flag == flag and word.second <= second]
        if said and not said[-1].ends:
            last = said[-1]
            if last.lasts is None or second < last.second + last.lasts:
                levels[flag] = last.level
    return levels


def recounted(recount: Recount, words: Sequence[Word]) -> list[Crossing]:
    told: list[Crossing] = []
    status, before = 0, dict[str, Level]()
    for second in range(recount.first, recount.until + 1):
        levels = pluralize(words, recount.levels(second), second)
        changes = {
            name: (before.get(name), level)
            for name, level in levels.items()
            if (before.get(name) or 0) != (level or 0)
        }
        after = worst_level(levels.values())
        if changes:
            told.append((second, STATUSES[status], STATUSES[after], changes))
        status, before = after, levels
    return told


@pytest.mark.parametrize("kind", KINDS)
@cases(20)
@given(st.data(), HISTORIES, WORDS, CLOCKS)
def test_what_is_recorded_is_what_a_recount_of_how_flags_count_tells(
    kind: str, data: st.DataObject, sent: list[Sent], words: list[Word], clocks: list[int]
) -> None:
    book = data.draw(BOOKS[kind])
    recount = Recount(book, sent, END)
    words = sayable(book, words)
    company = followed(book, sent, words, clocks)
    assert crossings(company.transitions) == recounted(recount, words)
    assert company.levels == recount.levels(END)
    assert company.state is not None
    assert effective_levels(book, company.state) == pluralize(words, recount.levels(END), END)


@pytest.mark.parametrize("kind", KINDS)
@cases(20)
@given(st.data(), HISTORIES, WORDS, CLOCKS, st.lists(st.integers(0, LAST)))
def test_what_is_recorded_does_not_depend_on_when_it_was_judged(
    kind: str,
    data: st.DataObject,
    sent: list[Sent],
    words: list[Word],
    clocks: list[int],
    lost: list[int],
) -> None:
    book = data.draw(BOOKS[kind])
    words = sayable(book, words)
    at_once = followed(book, sent, words)
    for company in (
        followed(book, sent, words, clocks, lost),
        followed(book, sent, words, range(END)),
        followed(book, sent, words, [], range(END)),
    ):
        assert company.transitions == at_once.transitions
        assert company.levels == at_once.levels
        assert company.state is not None
        assert at_once.state is not None
        assert company.state.overrides == at_once.state.overrides


@pytest.mark.parametrize("kind", KINDS)
@cases(20)
@given(st.data(), HISTORIES, WORDS)
def test_only_what_somebody_said_and_its_end_have_the_cause_override(
    kind: str, data: st.DataObject, sent: list[Sent], words: list[Word]
) -> None:
    book = data.draw(BOOKS[kind])
    words = sayable(book, words)
    bounds = {(word.flag, word.second) for word in words}
    bounds |= {(w.flag, w.second + w.lasts) for w in words if w.lasts is not None}
    quiet = Recount(book, sent, END)
    company = followed(book, sent, words, range(END))
    for transition in company.transitions:
        for change in transition.changes:
            second = second_of(change.at)
            if change.cause is Cause.OVERRIDE:
                assert (change.flag, second) in bounds
            else:
                own = second > 0 and quiet.level(change.flag, second - 1)
                assert own != quiet.level(change.flag, second)
        by_hand = any(change.cause is Cause.OVERRIDE for change in transition.changes)
        assert (transition.cause is Cause.OVERRIDE) == by_hand


@cases(40)
@given(st.data(), HISTORIES, WORDS, CLOCKS)
def test_an_override_is_in_force_until_its_time_is_over_or_another_takes_its_place(
    data: st.DataObject, sent: list[Sent], words: list[Word], clocks: list[int]
) -> None:
    book = data.draw(BOOKS["count"])
    words = sayable(book, words)
    company = followed(book, sent, words, clocks)
    assert company.state is not None
    left = {one.id for one in company.state.overrides}
    for number, word in enumerate(words):
        later = [one.second for one in words[number + 1 :] if one.flag == word.flag]
        own_end = [] if word.lasts is None else [word.second + word.lasts]
        over = word.ends or min([*later, *own_end], default=END + 1) <= END
        assert (number in left) == (not over)
