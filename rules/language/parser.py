"""Parses the phrases of rule files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, VisitError

from rules.language.mistakes import PhraseError, explain_mistake
from rules.language.tree import TOO_DEEP, PhraseTree, Vocabulary
from rules.notify.entries import ChangeCondition
from rules.notify.schedule import Digest, Quiet
from rules.phrases.condition import Condition

LONGEST_PHRASE = 2_000
"""Characters; parsing takes some microseconds for each."""

CACHED_PHRASES = 1_000
"""An edit changes one phrase of many; each takes a fifth of a millisecond."""

STARTS = (
    "when",
    "new_company",
    "lasting",
    "ignore_if",
    "offset",
    "notify_when",
    "together",
    "quiet",
    "digest",
)


@lru_cache(CACHED_PHRASES)
def parse_condition(text: str, vocabulary: Vocabulary | None = None) -> Condition:
    """Parse one phrase of `when` or `recover`, such as `less than 5 times in 7 days`.

    Raises:
        PhraseError: the phrase is invalid, can never be met, or always is.
    """
    condition: Condition = _parse(text, "when", vocabulary)
    return condition


def parse_new_company(text: str) -> timedelta:
    """Parse `judge at once` (zero) or `wait W`: how long a company must be known first.

    Raises:
        PhraseError: the phrase is neither.
    """
    wait: timedelta = _parse(text, "new_company")
    return wait


def parse_duration(text: str) -> timedelta:
    """Parse a duration such as `1 day`.

    Raises:
        PhraseError: it is not a duration.
    """
    duration: timedelta = _parse(text, "lasting")
    return duration


def parse_offset(text: str) -> timedelta:
    """Parse a duration in several units, such as `3 days 4 hours`; it may be 0.

    Raises:
        PhraseError: it is not a duration.
    """
    offset: timedelta = _parse(text, "offset")
    return offset


def parse_ignore_if(text: str) -> Decimal:
    """Parse `previous under N` and return N.

    Raises:
        PhraseError: the phrase has another form.
    """
    number: Decimal = _parse(text, "ignore_if")
    return number


@dataclass(frozen=True)
class NumberInPhrase:
    """A number in a phrase: where it is, and what it is; `once` and `twice` are numbers too."""

    start: int
    end: int
    value: str


_NUMBERS = {"NUMBER": None, "DECIMAL": None, "ONCE": "1", "TWICE": "2"}
"""The terminals of numbers; the value of a word."""


@lru_cache(2_000)
def find_numbers(text: str, start: str = "when") -> Sequence[NumberInPhrase]:
    """Return the numbers of a phrase in their order; those in names and values are none.

    `start` is one of `STARTS`.

    Raises:
        PhraseError: the phrase is invalid.
    """
    tokens = _tree(text, start).scan_values(lambda token: getattr(token, "type", "") in _NUMBERS)
    found = sorted(
        (
            NumberInPhrase(
                token.start_pos or 0, token.end_pos or 0, _NUMBERS[token.type] or str(token)
            )
            for token in tokens
        ),
        key=lambda number: number.start,
    )
    return tuple(found)


def parse_notify_when(text: str, vocabulary: Vocabulary) -> tuple[ChangeCondition, ...]:
    """Parse which changes to notify of, such as `status becomes Critical or status recovers`.

    Raises:
        PhraseError: it is invalid, or names an unknown status.
    """
    conditions: tuple[ChangeCondition, ...] = _parse(text, "notify_when", vocabulary)
    return conditions


def parse_together(text: str) -> timedelta:
    """Parse `together within W`.

    Raises:
        PhraseError: it has another form, or W is too long.
    """
    together: timedelta = _parse(text, "together")
    return together


def parse_quiet(text: str) -> Quiet:
    """Parse quiet hours, such as `18:00-08:00 and weekends in Europe/Berlin`.

    Raises:
        PhraseError: it has another form, or leaves no time.
    """
    quiet: Quiet = _parse(text, "quiet")
    return quiet


def parse_digest(text: str) -> Digest:
    """Parse the times of a digest, such as `Mondays at 08:00 in Europe/Berlin`.

    Raises:
        PhraseError: it has another form.
    """
    digest: Digest = _parse(text, "digest")
    return digest


@cache
def _grammar() -> Lark:
    return Lark.open_from_package(
        "rules.language",
        "grammar.lark",
        parser="lalr",
        start=list(STARTS),
        propagate_positions=True,
    )


def _tree(text: str, start: str) -> Tree[Token]:
    if len(text) > LONGEST_PHRASE:
        raise PhraseError(f"this is longer than {LONGEST_PHRASE:,} characters")
    try:
        return _grammar().parse(text, start=start)
    except UnexpectedInput as error:
        raise explain_mistake(error, text, start) from None


def _parse(text: str, start: str, vocabulary: Vocabulary | None = None) -> Any:
    tree = _tree(text, start)
    try:
        return PhraseTree(vocabulary or Vocabulary(), windows=start != "offset").transform(tree)
    except RecursionError:
        raise PhraseError(TOO_DEEP) from None
    except VisitError as error:
        if isinstance(error.orig_exc, PhraseError):
            raise error.orig_exc from None
        raise
