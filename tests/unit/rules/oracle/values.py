"""How the recount compares values of events and fields; it shares nothing with the evaluator."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from rules.phrases.amounts import Measure
from rules.phrases.condition import Bound
from rules.phrases.counting import Comparison


def same_json(value: Any, other: Any) -> bool:
    """Return whether two values are equal in JSON: `true` is not 1, but 1 is 1.0."""
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return value.keys() == other.keys() and all(same_json(value[k], other[k]) for k in value)
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(same_json, value, other))
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def value_at(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def count_distinct(values: Any) -> int:
    distinct: list[Any] = []
    for value in values:
        if not any(same_json(value, other) for other in distinct):
            distinct.append(value)
    return len(distinct)


def compares(comparison: Comparison, count: int, limit: int) -> bool:
    return {
        Comparison.LESS_THAN: count < limit,
        Comparison.AT_MOST: count <= limit,
        Comparison.AT_LEAST: count >= limit,
        Comparison.MORE_THAN: count > limit,
    }[comparison]


def bounds(bound: Bound, amount: Fraction, limit: Fraction) -> bool:
    return {
        Bound.BELOW: amount < limit,
        Bound.AT_MOST: amount <= limit,
        Bound.AT_LEAST: amount >= limit,
        Bound.ABOVE: amount > limit,
    }[bound]


def measure(measure: Measure, amounts: list[Fraction]) -> Fraction | None:
    if measure is Measure.SUM:
        return sum(amounts, Fraction(0))
    if not amounts:
        return None
    return {
        Measure.AVERAGE: sum(amounts, Fraction(0)) / len(amounts),
        Measure.HIGHEST: max(amounts),
        Measure.LOWEST: min(amounts),
    }[measure]


_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*", re.IGNORECASE)
_DATE = re.compile(
    r"\s*(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?(Z|([+-])(\d\d):(\d\d))?)?\s*"
)


def number(value: Any) -> Fraction | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        value = repr(value)
    return Fraction(value.strip()) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def instant_of(value: Any) -> datetime | None:
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    ahead = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0))
    return local + ahead if match[8] == "-" else local - ahead


def is_same(value: Any, expected: Any) -> bool:
    numbers = number(value), number(expected)
    if None not in numbers:
        return numbers[0] == numbers[1]
    return _text(value) == _text(expected)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip().casefold()
