"""Phrases about a company's fields: numbers, texts, dates, and missing fields.

Fields keep the type with which client applications sent them. A number may be sent as a text;
texts are compared case-insensitively; dates are ISO 8601, in UTC unless they have an offset, and
a date without a time is midnight.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from rules.durations import format_duration, shift
from rules.facts import Path
from rules.phrases.condition import Bound, Finding, OnField, Situation, format_number

LARGEST_EXPONENT = 400
"""The largest power of ten accepted in a number sent as a text; a JSON double ends at 308."""


def field_path(field: str) -> Path:
    """Return `limits.seats` as a path into a company's fields."""
    return tuple(field.split("."))


def as_number(value: Any) -> Decimal | None:
    """Return a field's or event's value as a number, None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        text = str(value).strip()
        number = Decimal("" if "_" in text else text)
    except (
        InvalidOperation,
        ValueError,
    ):  # Python refuses to print integers of thousands of digits
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= LARGEST_EXPONENT else None


def as_instant(value: Any) -> datetime | None:
    """Return a field's value as an instant, None if it is not one."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def matches_value(value: Any, expected: Any) -> bool:
    """Compare a field's value with an expected one: texts case-insensitively, numbers by value."""
    numbers = as_number(value), as_number(expected)
    if None not in numbers:
        return numbers[0] == numbers[1]
    return format_value(value).casefold() == format_value(expected).casefold()


def format_value(value: Any) -> str:
    """Return a field's value as a text, with booleans as in JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | Mapping):
        return "a list" if isinstance(value, list) else "an object"
    return str(value).strip()


class FieldCondition(OnField):
    """A phrase about one field; `evidence` of a finding is the field's value."""

    expected_kind: ClassVar[str] = "a value"
    """The kind of value that can be evaluated, in words."""

    def value(self, situation: Situation) -> Any:
        """Return the field's value."""
        return situation.facts.field(field_path(self.field), situation.at)

    def describe(self, finding: Finding) -> str:
        """See `Condition.describe`."""
        if finding.evidence is None:
            return f"company.{self.field} is missing"
        wrong = f", not {self.expected_kind}" if finding.holds is None else ""
        return f"company.{self.field} is {format_value(finding.evidence)}{wrong}"


@dataclass(frozen=True)
class FieldCompared(FieldCondition):
    """`company.nps below 7`."""

    expected_kind: ClassVar[str] = "a number"
    field: str
    bound: Bound
    limit: Decimal

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`."""
        value = self.value(situation)
        number = as_number(value)
        return Finding(
            None if number is None else self.bound.admits(number, self.limit), evidence=value
        )

    def __str__(self) -> str:
        return f"company.{self.field} {self.bound} {format_number(self.limit)}"


@dataclass(frozen=True)
class FieldIs(FieldCondition):
    """`company.plan is Free`, or `is not Free`; `expected` is the value as written."""

    field: str
    expected: str
    negated: bool = False

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`."""
        value = self.value(situation)
        return Finding(
            None if value is None else matches_value(value, self.expected) != self.negated,
            evidence=value,
        )

    def __str__(self) -> str:
        return f"company.{self.field} is {'not ' * self.negated}{quote(self.expected)}"


@dataclass(frozen=True)
class FieldMissing(FieldCondition):
    """`company.csm_name is missing`, or `is not missing`."""

    field: str
    negated: bool = False

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`."""
        value = self.value(situation)
        return Finding((value is None) != self.negated, evidence=value)

    def __str__(self) -> str:
        return f"company.{self.field} is {'not ' * self.negated}missing"


@dataclass(frozen=True)
class FieldWithin(FieldCondition):
    """`company.renewal_date within W`: the date is in the future, at most W from now."""

    expected_kind: ClassVar[str] = "a date such as 2026-12-31"
    field: str
    window: timedelta

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`: it holds in `[date - W, date)`."""
        value = self.value(situation)
        date = as_instant(value)
        if date is None:
            return Finding(None, evidence=value)
        begins, at = shift(date, -self.window), situation.at
        ahead = [instant for instant in (begins, date) if instant > at]
        return Finding(begins <= at < date, changes_at=min(ahead, default=None), evidence=value)

    def __str__(self) -> str:
        return f"company.{self.field} within {format_duration(self.window)}"


def quote(name: str) -> str:
    """Return a name or value as phrases write it: in quotes if it would be misread without."""
    words = name.split()
    plain = (
        " ".join(words) == name != ""
        and not any(character in name for character in '()"“”')
        and not any(word.casefold() in ("and", "or", "is", "not", "missing") for word in words)
    )
    return name if plain else '"' + name.replace('"', '""') + '"'
