"""Turns the parse tree of a phrase into a condition."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from lark import Token, v_args

from rules.durations import MAX_WINDOW, UNITS
from rules.facts import USER
from rules.faults import unknown_status
from rules.language.mistakes import PhraseError
from rules.language.notify_tree import NotifyTree
from rules.language.texts import unquote
from rules.phrases.amounts import Amount, Change, Measure
from rules.phrases.condition import Bound, Condition
from rules.phrases.counting import Absence, Comparison, Count, Never
from rules.phrases.distinct import Distinct, Share
from rules.phrases.fields import FieldCompared, FieldIs, FieldMissing, FieldWithin
from rules.phrases.logic import AllOf, AnyOf, FlagIs, Not
from rules.statuses import DEFAULT_STATUSES, NOT_APPLICABLE

MAX_NESTING = 20
"""How deep phrases may be nested."""

TOO_DEEP = f"phrases are nested more than {MAX_NESTING} deep"

MAX_TIMES = 10_000
"""The largest N in a count, since evaluation reads the N latest events."""


@dataclass(frozen=True)
class Vocabulary:
    """The context of a phrase.

    `statuses` are those of the file, best first; `ignore_previous_under` is the flag's
    `ignore_if`, 0 without one.
    """

    statuses: tuple[str, ...] = DEFAULT_STATUSES
    ignore_previous_under: Decimal = Decimal(0)


@dataclass(frozen=True)
class _Number:
    """A number and its offset in the phrase."""

    value: Decimal
    offset: int

    def whole(self) -> int:
        if self.value != self.value.to_integral_value() or self.value < 0:
            raise PhraseError(f"`{self.value}` is not a whole number", self.offset)
        if self.value > MAX_TIMES:
            raise PhraseError(
                f"`{self.value}` is too many; a count goes up to {MAX_TIMES:,}", self.offset
            )
        return int(self.value)


@v_args(inline=True)
class PhraseTree(NotifyTree):
    """Turns the parse tree into conditions; numbers out of range are faults at their position."""

    def __init__(self, vocabulary: Vocabulary, *, windows: bool) -> None:
        super().__init__(visit_tokens=False)
        self.vocabulary = vocabulary
        self.statuses = vocabulary.statuses
        self.windows = windows

    # Phrases

    def any_of(self, *parts: Any) -> AnyOf:
        return AnyOf(tuple(part for part in parts if isinstance(part, Condition)))

    def all_of(self, *parts: Any) -> AllOf:
        return AllOf(tuple(part for part in parts if isinstance(part, Condition)))

    def negated(self, _not: Token, part: Condition) -> Not:
        return Not(_check_nesting(part))

    def grouped(self, part: Condition) -> Condition:
        return _check_nesting(part)

    def count(self, comparison: Comparison, times: _Number, window: timedelta) -> Count:
        condition = Count(comparison, times.whole(), window)
        _check_depth(condition, condition.depth, times)
        return condition

    def distinct(
        self, comparison: Comparison, number: _Number, _distinct: Token, of: Token, window: Any
    ) -> Distinct:
        path = USER if of.type == "USERS" else ("data", *_path(of))
        condition = Distinct(comparison, number.whole(), path, window)
        _check_depth(condition, condition.depth, number)
        return condition

    def absence(self, *children: Any) -> Absence:
        return Absence(children[-1])

    def never(self, *children: Any) -> Never:
        return Never(children[2], _field(children[-1]))

    def sum(
        self, measure: Token, _of: Token, of: Token, bound: Bound, limit: _Number, window: timedelta
    ) -> Amount:
        path = ("data", *_path(of))
        return Amount(Measure[measure.type], path, bound, limit.value, window)

    def share(self, *children: Any) -> Share:
        _distinct, _users, window, bound, percent, _of, field = children
        condition = Share(bound, percent.value, _field(field), window)
        if percent.value == 0 and bound in (Bound.BELOW, Bound.AT_LEAST):
            problem = "can never be met" if bound.is_upper_bound else "is always met"
            raise PhraseError(f"`{condition}` {problem}; use a share above 0%", percent.offset)
        return condition

    def change(self, direction: Token, percent: _Number, window: timedelta) -> Change:
        upwards = direction.type == "UP"
        if percent.value == 0 or (percent.value > 100 and not upwards):
            advice = (
                "a change is at least 1%" if percent.value == 0 else "nothing falls by over 100%"
            )
            raise PhraseError(advice, percent.offset)
        return Change(upwards, percent.value, window, self.vocabulary.ignore_previous_under)

    def compared(self, field: Token, bound: Bound, limit: _Number) -> FieldCompared:
        return FieldCompared(_field(field), bound, limit.value)

    def named(self, field: Token, _is: Token, negated: Token | None, value: Token) -> FieldIs:
        return FieldIs(_field(field), unquote(value), negated is not None)

    def missing(
        self, field: Token, _is: Token, negated: Token | None, _missing: Token
    ) -> FieldMissing:
        return FieldMissing(_field(field), negated is not None)

    def within(self, field: Token, _within: Token, window: timedelta) -> FieldWithin:
        return FieldWithin(_field(field), window)

    def flag_is(
        self, _flag: Token, name: Token, _is: Token, value: Token, or_worse: Token | None
    ) -> FlagIs:
        written = unquote(value)
        statuses = {s.casefold(): s for s in (*self.vocabulary.statuses, NOT_APPLICABLE)}
        status = statuses.get(written.casefold())
        if status is None:
            raise PhraseError(unknown_status(written, statuses.values()), value.start_pos or 0)
        applies = status != NOT_APPLICABLE
        if or_worse is not None and not applies:
            raise PhraseError(
                "nothing is worse than N/A; leave out `or worse`", or_worse.start_pos or 0
            )
        level = self.vocabulary.statuses.index(status) if applies else None
        return FlagIs(unquote(name), status, level, or_worse is not None)

    # Parts of phrases

    def judge_at_once(self, *_words: Token) -> timedelta:
        return timedelta(0)

    def wait(self, _wait: Token, duration: timedelta) -> timedelta:
        return duration

    def lasting(self, duration: timedelta) -> timedelta:
        return duration

    def offset(self, *durations: timedelta) -> timedelta:
        return sum(durations, timedelta(0))

    def ignore_if(self, previous: Token, bound: Bound, number: _Number) -> Decimal:
        if bound is not Bound.BELOW:
            raise PhraseError("write for example `previous under 20`", previous.start_pos or 0)
        return number.value

    def fewer_than(self, *_words: Token) -> Comparison:
        return Comparison.LESS_THAN

    def at_most(self, *_words: Token) -> Comparison:
        return Comparison.AT_MOST

    def at_least(self, *_words: Token) -> Comparison:
        return Comparison.AT_LEAST

    def more_than(self, *_words: Token) -> Comparison:
        return Comparison.MORE_THAN

    def below(self, *_words: Token) -> Bound:
        return Bound.BELOW

    def above(self, *_words: Token) -> Bound:
        return Bound.ABOVE

    def from_on(self, *_words: Token) -> Bound:
        return Bound.AT_LEAST

    def up_to(self, *_words: Token) -> Bound:
        return Bound.AT_MOST

    def amount(self, number: Token) -> _Number:
        if len(number) > 30:
            raise PhraseError(f"`{number}` has too many digits", number.start_pos or 0)
        return _Number(Decimal(number), number.start_pos or 0)

    def percent(self, number: Token, sign: Token) -> _Number:
        amount = self.amount(number)
        if not 0 <= amount.value <= 1_000_000:
            raise PhraseError(f"`{number}{sign}` is not a sensible share", amount.offset)
        return amount

    def number_of_times(self, number: _Number, _times: Token) -> _Number:
        return number

    def once(self, word: Token) -> _Number:
        return _Number(Decimal(1), word.start_pos or 0)

    def twice(self, word: Token) -> _Number:
        return _Number(Decimal(2), word.start_pos or 0)

    def window(self, *children: Any) -> timedelta:
        duration: timedelta = children[-1]
        return duration

    def duration(self, number: Token, unit: Token) -> timedelta:
        length = UNITS[unit.type.removesuffix("S").lower()]
        offset = number.start_pos or 0
        if int(number[:12]) == 0 and self.windows:
            raise PhraseError("a window of 0 is empty; use at least 1", offset)
        if len(number) > 10 or int(number) > MAX_WINDOW // length:
            raise PhraseError(
                f"`{number} {unit}` is too long; a window goes up to 520 weeks", offset
            )
        return int(number) * length


def _check_nesting(part: Condition) -> Condition:
    if part.nesting_depth >= MAX_NESTING:
        raise PhraseError(TOO_DEEP)
    return part


def _check_depth(condition: Count | Distinct, depth: int, number: _Number) -> None:
    if depth == 0:
        problem = "can never be met" if condition.comparison.is_upper_bound else "is always met"
        raise PhraseError(f"`{condition}` {problem}; use a number of at least 1", number.offset)


def _path(token: Token) -> list[str]:
    return token.split(".")[1:]


def _field(token: Token) -> str:
    return ".".join(_path(token))
