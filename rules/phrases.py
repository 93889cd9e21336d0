"""Reads the phrases of a rule file; every misreading becomes a sentence with a position."""

import re
from datetime import timedelta
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import (
    UnexpectedCharacters,
    UnexpectedEOF,
    UnexpectedInput,
    UnexpectedToken,
    VisitError,
)

from rules.conditions import Absence, Comparison, Condition, Count
from rules.durations import LONGEST, UNITS
from rules.faults import RulesError, did_you_mean

MOST_TIMES = 10_000
"""The largest N that a count may name, since judging reads the N latest events."""

EXAMPLES = {
    "when": "`less than 5 times in 7 days`, `at least 2 times in 1 hour`, `no activity for 7 days`",
    "new_company": "`judge at once` or `wait 7 days`",
}
_SYMBOLS = ("LE", "GE", "LT", "GT")


class PhraseError(RulesError):
    """Raised when a phrase cannot be read; `offset` is the 0-based character of the fault."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def parse_condition(text: str) -> Condition:
    """Read one `when` phrase, such as `less than 5 times in 7 days`.

    Raises:
        PhraseError: the phrase is not of the language, can never hold, or always holds.
    """
    condition: Condition = _parse(text, "when")
    return condition


def parse_new_company(text: str) -> timedelta:
    """Read `judge at once` (zero) or `wait W`, the time that a company must be known first.

    Raises:
        PhraseError: the phrase is neither.
    """
    wait: timedelta = _parse(text, "new_company")
    return wait


@cache
def _grammar() -> Lark:
    return Lark.open_from_package(
        "rules", "phrases.lark", parser="lalr", start=list(EXAMPLES), propagate_positions=True
    )


def _parse(text: str, start: str) -> Any:
    try:
        tree = _grammar().parse(text, start=start)
    except UnexpectedInput as error:
        raise _explain(error, text, start) from None
    try:
        return _Reading(visit_tokens=False).transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, PhraseError):
            raise error.orig_exc from None
        raise


class _Reading(Transformer[Token, Any]):
    """Turns the parse tree into conditions; numbers out of range are faults at their place."""

    def when(self, children: list[Condition]) -> Condition:
        return children[0]

    def judge_at_once(self, _children: list[Token]) -> timedelta:
        return timedelta(0)

    def wait(self, children: list[Any]) -> timedelta:
        duration: timedelta = children[1]
        return duration

    def absence(self, children: list[Any]) -> Absence:
        return Absence(window=children[-1])

    def count(self, children: list[Any]) -> Count:
        comparison, (times, offset), _in, window = children
        condition = Count(comparison, times, window)
        if condition.depth == 0:
            always = comparison is Comparison.AT_LEAST
            verdict = "always holds" if always else "can never hold"
            raise PhraseError(f"`{condition}` {verdict}; use a number of at least 1", offset)
        return condition

    def fewer_than(self, _children: list[Token]) -> Comparison:
        return Comparison.LESS_THAN

    def at_most(self, _children: list[Token]) -> Comparison:
        return Comparison.AT_MOST

    def at_least(self, _children: list[Token]) -> Comparison:
        return Comparison.AT_LEAST

    def more_than(self, _children: list[Token]) -> Comparison:
        return Comparison.MORE_THAN

    def number_of_times(self, children: list[Token]) -> tuple[int, int]:
        number = children[0]
        offset = number.start_pos or 0
        if len(number) > len(str(MOST_TIMES)) or int(number) > MOST_TIMES:
            raise PhraseError(f"`{number}` is too many; a count goes up to {MOST_TIMES:,}", offset)
        return int(number), offset

    def once(self, children: list[Token]) -> tuple[int, int]:
        return 1, children[0].start_pos or 0

    def twice(self, children: list[Token]) -> tuple[int, int]:
        return 2, children[0].start_pos or 0

    def duration(self, children: list[Token]) -> timedelta:
        number, unit = children
        length = UNITS[unit.type.removesuffix("S").lower()]
        offset = number.start_pos or 0
        if int(number[:12]) == 0:
            raise PhraseError("a window of 0 is empty; use at least 1", offset)
        if len(number) > 10 or int(number) > LONGEST // length:
            raise PhraseError(
                f"`{number} {unit}` is too long; a window goes up to 520 weeks", offset
            )
        return int(number) * length


def _explain(error: UnexpectedInput, text: str, start: str) -> PhraseError:
    """One sentence for a phrase that the grammar refuses: what stands there, what could."""
    example = f"for example {EXAMPLES[start]}"
    expected = _expected_words(error)
    if isinstance(error, UnexpectedCharacters):
        offset = error.pos_in_stream or 0
    elif isinstance(error, UnexpectedToken) and error.token.type != "$END":
        offset = error.token.start_pos or 0
    else:
        offset = len(text)
    found = re.match(r"\w+|\S", text[offset:])
    if isinstance(error, UnexpectedEOF) or not found:
        return PhraseError(f"the phrase ends too soon, {_expect(expected)}: {example}", len(text))
    word = found.group()
    hint = did_you_mean(word, expected)
    if re.fullmatch(r"(?i)(month|quarter|year)s?", word):
        return PhraseError(
            f"a {word.lower().rstrip('s')} has no fixed length; use days or weeks,"
            " for example `30 days`",
            offset,
        )
    if hint:
        return PhraseError(f"`{word}` is not understood here{hint}", offset)
    return PhraseError(f"`{word}` is not understood here, {_expect(expected)}: {example}", offset)


def _expected_words(error: UnexpectedInput) -> list[str]:
    terminals = getattr(error, "allowed", None) or getattr(error, "expected", None) or ()
    spelled = {
        "NUMBER": "a number",
        "$END": "",
        "<END-OF-FILE>": "",
        "WS": "",
        **dict.fromkeys(_SYMBOLS, ""),
    }
    words = (spelled.get(terminal, terminal.lower()) for terminal in sorted(terminals))
    return [word for word in words if word]


def _expect(words: list[str]) -> str:
    if not words:
        return "expected nothing more"
    return "expected " + " or ".join(w if w == "a number" else f"`{w}`" for w in words)
