"""Random snoozes and overrides, compared with a recount of effective levels at every second."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import RuleBook, worst_level
from rules.judging.overrides import effective_levels
from rules.judging.state import Cause, Override
from rules.phrases.condition import Level
from tests.support.properties import effort
from tests.unit.rules.oracle.histories import (
    BOOKS,
    END,
    HISTORIES,
    LAST,
    STATUSES,
    Company,
)
from tests.unit.rules.oracle.overriding import add_override, end_overrides
from tests.unit.rules.oracle.recount import Crossing, Recount, Sent, at, crossings, second_of

KINDS = ["count", "never", "for and recover", "flag is", "everything"]


@dataclass(frozen=True)
class Instruction:
    """An override of a flag at a second: a level for `duration` seconds, None is indefinitely.

    `level` None is a snooze; `ends` ends the override in force instead.
    """

    second: int
    flag: str
    level: Level = None
    duration: int | None = None
    ends: bool = False


INSTRUCTIONS = st.lists(
    st.one_of(
        st.builds(
            Instruction,
            st.integers(1, LAST),
            st.sampled_from("AB"),
            st.sampled_from([None, 0, 1, 2]),
            st.one_of(st.none(), st.integers(1, 60)),
        ),
        st.builds(Instruction, st.integers(1, LAST), st.sampled_from("AB"), ends=st.just(True)),
    ),
    max_size=6,
)
CLOCKS = st.lists(st.integers(0, END), max_size=8)


class Overridden(Company):
    """A company whose flags people override; see `services.health.overrides`."""

    def apply(self, instruction: Instruction, number: int) -> None:
        """Store an override or its end; nothing is evaluated yet."""
        assert self.state is not None
        now = at(instruction.second)
        if instruction.ends:
            self.state = end_overrides(self.state, instruction.flag, now)
            return
        status = None if instruction.level is None else STATUSES[instruction.level]
        duration = instruction.duration
        ends_at = None if duration is None else at(instruction.second + duration)
        override = Override(number, instruction.flag, status, now, ends_at)
        self.state = add_override(self.state, override)


def applicable(book: RuleBook, instructions: Iterable[Instruction]) -> list[Instruction]:
    return sorted((w for w in instructions if w.flag in book.flags_by_name), key=lambda w: w.second)


def play(
    book: RuleBook,
    sent: Sequence[Sent],
    instructions: Sequence[Instruction],
    clocks: Iterable[int] = (),
    lost: Iterable[int] = (),
) -> Overridden:
    """A company evaluated when events arrive, when flags are overridden, and by clocks.

    An override in a second whose evaluation is lost is recorded at the next evaluation.
    """
    company = Overridden(book)
    clocks, lost = set(clocks), set(lost)
    for second in range(END + 1):
        for event in sent:
            if event.second == second:
                company.store(event, second)
        if company.state is None:
            company.evaluate(second)  # a company must be known before its flags can be overridden
        current = [
            (n, instruction)
            for n, instruction in enumerate(instructions)
            if instruction.second == second
        ]
        for number, instruction in current:
            company.apply(instruction, number)
        due = company.unsettled_since is not None or current
        if second in clocks or second == END or (due and second not in lost):
            company.evaluate(second)
    return company


def effective_levels_at(
    instructions: Iterable[Instruction], own: dict[str, Level], second: int
) -> dict[str, Level]:
    """Return the effective level of each flag at a second, by the last override in force."""
    levels = dict(own)
    for flag in own:
        current = [
            instruction
            for instruction in instructions
            if instruction.flag == flag and instruction.second <= second
        ]
        if current and not current[-1].ends:
            last = current[-1]
            if last.duration is None or second < last.second + last.duration:
                levels[flag] = last.level
    return levels


def recounted_crossings(recount: Recount, instructions: Sequence[Instruction]) -> list[Crossing]:
    crossings: list[Crossing] = []
    status, before = 0, dict[str, Level]()
    for second in range(recount.first, recount.until + 1):
        levels = effective_levels_at(instructions, recount.levels(second), second)
        changes = {
            name: (before.get(name), level)
            for name, level in levels.items()
            if (before.get(name) or 0) != (level or 0)
        }
        after = worst_level(levels.values())
        if changes:
            crossings.append((second, STATUSES[status], STATUSES[after], changes))
        status, before = after, levels
    return crossings


@pytest.mark.parametrize("kind", KINDS)
@effort(2 / 3)
@given(st.data(), HISTORIES, INSTRUCTIONS, CLOCKS)
def test_the_record_matches_a_recount_of_effective_levels(
    kind: str,
    data: st.DataObject,
    sent: list[Sent],
    instructions: list[Instruction],
    clocks: list[int],
) -> None:
    book = data.draw(BOOKS[kind])
    recount = Recount(book, sent, END)
    instructions = applicable(book, instructions)
    company = play(book, sent, instructions, clocks)
    assert crossings(company.transitions) == recounted_crossings(recount, instructions)
    assert company.levels == recount.levels(END)
    assert company.state is not None
    assert effective_levels(book, company.state) == effective_levels_at(
        instructions, recount.levels(END), END
    )


@pytest.mark.parametrize("kind", KINDS)
@effort(2 / 3)
@given(st.data(), HISTORIES, INSTRUCTIONS, CLOCKS, st.lists(st.integers(0, LAST)))
def test_the_record_does_not_depend_on_when_it_was_evaluated(
    kind: str,
    data: st.DataObject,
    sent: list[Sent],
    instructions: list[Instruction],
    clocks: list[int],
    lost: list[int],
) -> None:
    book = data.draw(BOOKS[kind])
    instructions = applicable(book, instructions)
    at_once = play(book, sent, instructions)
    for company in (
        play(book, sent, instructions, clocks, lost),
        play(book, sent, instructions, range(END)),
        play(book, sent, instructions, [], range(END)),
    ):
        assert company.transitions == at_once.transitions
        assert company.levels == at_once.levels
        assert company.state is not None
        assert at_once.state is not None
        assert company.state.overrides == at_once.state.overrides


@pytest.mark.parametrize("kind", KINDS)
@effort(2 / 3)
@given(st.data(), HISTORIES, INSTRUCTIONS)
def test_only_the_start_and_end_of_an_override_have_the_cause_override(
    kind: str, data: st.DataObject, sent: list[Sent], instructions: list[Instruction]
) -> None:
    book = data.draw(BOOKS[kind])
    instructions = applicable(book, instructions)
    bounds = {(instruction.flag, instruction.second) for instruction in instructions}
    bounds |= {(w.flag, w.second + w.duration) for w in instructions if w.duration is not None}
    own_levels = Recount(book, sent, END)
    company = play(book, sent, instructions, range(END))
    for transition in company.transitions:
        for change in transition.changes:
            second = second_of(change.at)
            if change.cause is Cause.OVERRIDE:
                assert (change.flag, second) in bounds
            else:
                own = second > 0 and own_levels.level(change.flag, second - 1)
                assert own != own_levels.level(change.flag, second)
        manual = any(change.cause is Cause.OVERRIDE for change in transition.changes)
        assert (transition.cause is Cause.OVERRIDE) == manual


@effort(4 / 3)
@given(st.data(), HISTORIES, INSTRUCTIONS, CLOCKS)
def test_an_override_is_in_force_until_it_ends_or_is_replaced(
    data: st.DataObject, sent: list[Sent], instructions: list[Instruction], clocks: list[int]
) -> None:
    book = data.draw(BOOKS["count"])
    instructions = applicable(book, instructions)
    company = play(book, sent, instructions, clocks)
    assert company.state is not None
    remaining = {override.id for override in company.state.overrides}
    for number, instruction in enumerate(instructions):
        later = [i.second for i in instructions[number + 1 :] if i.flag == instruction.flag]
        own_end = (
            [] if instruction.duration is None else [instruction.second + instruction.duration]
        )
        over = instruction.ends or min([*later, *own_end], default=END + 1) <= END
        assert (number in remaining) == (not over)
