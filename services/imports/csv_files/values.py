"""Recognizes what the values of each column are: texts, numbers, booleans, dates.

A column is a number only if all of its values are, so the type of a value does not depend on its
row. What only looks like a number stays text: ids, postal codes, phone numbers.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from services.imports.csv_files.dates import DateForm, looks_like_a_date, most_dates, read_date_form
from services.imports.csv_files.numerals import (
    Numeral,
    decimal_points,
    depends_on_point,
    most_numbers,
    read_numeral,
    read_numerals,
)

_ALWAYS_TEXT = re.compile(
    r"(^|_)(id|ids|uuid|guid|key|zip|zipcode|postal|postalcode|postcode|plz|phone|mobile|fax|tel"
    r"|telephone|vat|iban|sic|naics|duns|sku|fingerprint|last4)(_|$)"
)
"""Names of fields whose values are no quantities, even where all of them have digits only."""

_BOOLEANS = {"true": True, "false": False}, {"yes": True, "no": False}

_MOST_BOOLEANS = 10
"""More distinct values than booleans can have, whatever their capitals."""

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a text begins that a spreadsheet may run, including full-width forms."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Kind(StrEnum):
    """What the values of a column are; in JSON, dates are texts."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"


@dataclass(frozen=True)
class Conventions:
    """How a file writes numbers and dates; None if nothing in it decides that."""

    decimal_point: str | None = None
    day_first: bool | None = None


@dataclass(frozen=True)
class ColumnType:
    """What the values of a column are, how to convert them, and what to know about that.

    `convert` takes a text that is not empty, and returns None if it is no such value.
    """

    kind: Kind
    convert: Callable[[str], Any]
    note: str | None = None


def looks_like_a_value(text: str) -> bool:
    """Whether a text can hardly be the name of a column."""
    return bool(_EMAIL.fullmatch(text)) or looks_like_a_date(text) or read_numeral(text) is not None


@dataclass(frozen=True)
class Column:
    """The distinct values of a column that are not empty, read as numbers or dates if all are."""

    values: Sequence[str]
    numerals: Sequence[Numeral] = ()
    dates: DateForm | None = None

    @classmethod
    def of(cls, values: Iterable[str]) -> "Column":
        """Read the values of a column."""
        distinct = list(dict.fromkeys(values))
        if numerals := read_numerals(distinct):
            return cls(distinct, numerals)
        return cls(distinct, dates=read_date_form(distinct))


def usable_values(values: Iterable[str], kind: Kind) -> list[str]:
    """Return the distinct values that are numbers or dates as most of them are written."""
    counted = Counter(values)
    return most_numbers(counted) if kind is Kind.NUMBER else most_dates(counted)


def find_conventions(
    columns: Iterable[Column], delimiter: str, *, day_first: bool | None = None
) -> Conventions:
    """Find out how a file writes numbers and dates from those of its columns that leave no choice.

    Commas as delimiters go with decimal points. `day_first` is what a person has said.
    """
    points: set[str] = set()
    orders: set[bool] = set()
    for column in columns:
        possible = decimal_points(column.numerals) if column.numerals else set()
        if len(possible) == 1:
            points |= possible
        form = column.dates
        if form and not form.ordered and form.day_first is not None:
            orders.add(form.day_first)
    point = next(iter(points)) if len(points) == 1 else None
    if not points and delimiter == ",":
        point = "."
    if day_first is None and len(orders) == 1:
        [day_first] = orders
    return Conventions(point, day_first)


def recognize(column: Column, field: str, conventions: Conventions) -> ColumnType:
    """Return the type of the values of a field."""
    if not column.values or _ALWAYS_TEXT.search(field):
        return TEXT
    lowered = {value.lower() for value in column.values[:_MOST_BOOLEANS]}
    for booleans in _BOOLEANS:
        if len(column.values) < _MOST_BOOLEANS and lowered <= booleans.keys():
            return _boolean(booleans)
    if column.numerals:
        return _number(column, conventions)
    if column.dates:
        return _date(column.dates, column.values, conventions)
    return TEXT


def adapt(column: ColumnType, known: str | None) -> ColumnType:
    """Return the type of a column whose field has had values of one JSON type so far.

    Texts stay texts. Otherwise each value is converted by itself, and one that is of another type
    cannot be.
    """
    if known in (None, column.kind):
        return column
    if known == "string":
        return column if column.kind in (Kind.TEXT, Kind.DATE) else TEXT
    if known == "boolean":
        return _boolean({**_BOOLEANS[0], **_BOOLEANS[1]})
    if known == "number":
        return ColumnType(Kind.NUMBER, _convert_number)
    return column


def as_text(text: str) -> str:
    """Return a text without the quote by which exports keep spreadsheets from running it."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA) else text


def safe_cell(text: str) -> str:
    """Return a text for a CSV file, with a quote if a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) and read_numeral(text) is None else text


TEXT = ColumnType(Kind.TEXT, as_text)


def _boolean(booleans: Mapping[str, bool]) -> ColumnType:
    return ColumnType(Kind.BOOLEAN, lambda text: booleans.get(text.lower()))


def _number(column: Column, conventions: Conventions) -> ColumnType:
    numerals = column.numerals
    possible = decimal_points(numerals)
    if not possible:
        return TEXT
    if len(possible) == 1:
        [point] = possible
    elif conventions.decimal_point or not depends_on_point(numerals):
        point = conventions.decimal_point or "."
    else:
        example = next(n for n in numerals if depends_on_point([n]))
        return replace(
            TEXT,
            note=f"kept as text: {example.digits} is either {example.value('.'):,} or"
            f" {example.value(','):,}, and nothing in the file decides which",
        )
    unit = numerals[0].unit
    note = None
    if unit == "%":
        note = "45% becomes 45"
    elif unit:
        note = f"amounts in {unit}, without the currency"
    values = {
        text: numeral.value(point) for text, numeral in zip(column.values, numerals, strict=True)
    }
    return ColumnType(Kind.NUMBER, values.get, note)


def _convert_number(text: str) -> int | float | None:
    numeral = read_numeral(text)
    return numeral.value(".") if numeral and "." in numeral.points else None


def _date(form: DateForm, values: Sequence[str], conventions: Conventions) -> ColumnType:
    day_first = form.day_first if form.day_first is not None else conventions.day_first
    if day_first is None and not form.ordered:
        return replace(
            TEXT,
            note=f"kept as text: {values[0]} has the day or the month first, and nothing in the"
            " file decides which",
        )
    read = {text: form.read(text, day_first=bool(day_first)) for text in values}
    return ColumnType(Kind.DATE, read.get)
