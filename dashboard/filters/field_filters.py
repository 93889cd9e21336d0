"""Filters by a column of the list or a field, as parameters: `field.plan=Team`, `next.renewal=60`.

A parameter is named after the column or field, with the operator before it, except for `is`. An
empty value means that there is none: `field.nps=` finds companies without it, `not.field.nps=` the
others. Several values of one parameter are alternatives; with `not`, none of them is the value.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dashboard.filters.typed_numbers import typed_number
from models.companies.filters.conditions import Condition, Days, Operand, Operator
from models.companies.filters.subjects import COLUMNS, FIELD
from rules.phrases.fields import as_instant, as_number

ME = "me"
"""The owner that means the person who reads the list; see `services.accounts.owners`."""

LONGEST_TEXT = 200

MOST_DAYS = 3_660
"""Of a filter by the next or the last days."""

_DAY = timedelta(days=1)


class Verb(StrEnum):
    """What a filter compares, as the prefix of its parameter; `IS` has none."""

    IS = "is"
    NOT = "not"
    CONTAINS = "contains"
    ABOVE = "above"
    BELOW = "below"
    AT_LEAST = "min"
    AT_MOST = "max"
    BEFORE = "before"
    AFTER = "after"
    NEXT = "next"
    LAST = "last"

    @property
    def wording(self) -> str:
        """What a filter is called on a page, with `{}` for its value."""
        return _WORDINGS[self]


_WORDINGS = {
    Verb.IS: "is {}",
    Verb.NOT: "is not {}",
    Verb.CONTAINS: "contains {}",
    Verb.ABOVE: "is greater than {}",
    Verb.BELOW: "is less than {}",
    Verb.AT_LEAST: "is at least {}",
    Verb.AT_MOST: "is at most {}",
    Verb.BEFORE: "is before {}",
    Verb.AFTER: "is after {}",
    Verb.NEXT: "is within the next {} days",
    Verb.LAST: "is within the last {} days",
}

_OPERATORS = {
    Verb.IS: Operator.IS,
    Verb.NOT: Operator.NOT,
    Verb.CONTAINS: Operator.CONTAINS,
    Verb.ABOVE: Operator.ABOVE,
    Verb.BELOW: Operator.BELOW,
    Verb.AT_LEAST: Operator.AT_LEAST,
    Verb.AT_MOST: Operator.AT_MOST,
    Verb.BEFORE: Operator.BETWEEN,
    Verb.AFTER: Operator.BETWEEN,
    Verb.NEXT: Operator.BETWEEN,
    Verb.LAST: Operator.BETWEEN,
}

_NUMBERS = (Verb.ABOVE, Verb.BELOW, Verb.AT_LEAST, Verb.AT_MOST)


@dataclass(frozen=True, order=True)
class FieldFilter:
    """One value of a filter; `subject` is a column, or a field after `field.`."""

    subject: str
    verb: Verb
    value: str

    @property
    def name(self) -> str:
        """The name of the parameter."""
        return self.subject if self.verb is Verb.IS else f"{self.verb}.{self.subject}"

    @property
    def title(self) -> str:
        """The column or field in words."""
        return self.subject.removeprefix(FIELD).replace("last-event", "last event")

    @property
    def problem(self) -> str | None:
        """Why the value cannot be compared, as a part of a sentence; None if it can be."""
        if self.verb in _NUMBERS and typed_number(self.value) is None:
            return "is not a number"
        if self.verb in (Verb.BEFORE, Verb.AFTER) and _day(self.value) is None:
            return "is not a date such as 2026-03-31"
        if self.verb in (Verb.NEXT, Verb.LAST) and _number_of_days(self.value) is None:
            return f"is not a number of days up to {MOST_DAYS:,}"
        if self.verb is Verb.CONTAINS and not self.value:
            return "is empty"
        return None

    def operands(self, reader: Sequence[str], today: date) -> Iterator[Operand]:
        """Yield what values are compared with; `reader` lists the owners that mean the reader."""
        if self.subject == "owner" and self.value == ME and self.verb in (Verb.IS, Verb.NOT):
            yield from (Operand(owner, as_number(owner)) for owner in reader)
            return
        yield Operand(self.value, typed_number(self.value), self._days(today))

    def _days(self, today: date) -> Days | None:
        try:
            if self.verb in (Verb.NEXT, Verb.LAST):
                number = _number_of_days(self.value)
                if number is None:
                    return None
                span = number * _DAY
                if self.verb is Verb.NEXT:
                    return Days(today, today + span + _DAY)
                return Days(today - span, today + _DAY)
            day = _day(self.value)
            if day is None:
                return None
            if self.verb is Verb.BEFORE:
                return Days(until=day)
            return Days(since=day + _DAY) if self.verb is Verb.AFTER else Days(day, day + _DAY)
        except OverflowError:
            return None


def read_filter(name: str, value: str) -> FieldFilter | None:
    """Return the filter of a parameter; None if it is none."""
    prefix, _, rest = name.partition(".")
    verb, about = Verb.IS, name
    if prefix in list(Verb) and prefix != Verb.IS and rest:
        verb, about = Verb(prefix), rest
    if about not in COLUMNS and (not about.startswith(FIELD) or about == FIELD):
        return None
    if about == "status" and verb is Verb.IS:
        return None  # a parameter of its own
    return FieldFilter(about, verb, value.strip()[:LONGEST_TEXT])


def conditions(
    filters: Iterable[FieldFilter], reader: Sequence[str], today: date
) -> tuple[Condition, ...]:
    """Return the conditions of filters, one for all values of a parameter."""
    operands: dict[tuple[str, Verb], list[Operand]] = {}
    for given in filters:
        values = [] if given.problem else list(given.operands(reader, today))
        operands.setdefault((given.subject, given.verb), []).extend(values)
    return tuple(
        Condition(about, _OPERATORS[verb], tuple(values))
        for (about, verb), values in operands.items()
    )


def _day(text: str) -> date | None:
    at = as_instant(text)
    return at.date() if at else None


def _number_of_days(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else MOST_DAYS + 1
    return number if number <= MOST_DAYS else None
