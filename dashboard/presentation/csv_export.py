"""Companies as CSV that spreadsheets open without running anything that a client wrote into it."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson

from dashboard.presentation.wording import machine_time
from models.companies.company_list import Listed

BYTE_ORDER_MARK = "\ufeff"
"""Without it some spreadsheets take UTF-8 for something else."""

COLUMNS = ("id", "name", "status", "previous_status", "since", "score", "last_event_at")

_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Also in their full-width forms."""


def as_csv(chunks: Iterable[Sequence[Listed]], fields: Sequence[str]) -> Iterator[str]:
    """Lines with a heading, some at a time. `fields` are the custom ones, a column for each."""
    yield BYTE_ORDER_MARK + _lines([[*COLUMNS, *fields]])
    for companies in chunks:
        yield _lines([_row(company, fields) for company in companies])


def _row(company: Listed, fields: Sequence[str]) -> list[Any]:
    return [
        company.id,
        company.name,
        company.health_status,
        company.previous_status,
        company.since,
        company.score,
        company.last_event_at,
        *(company.traits.get(field) for field in fields),
    ]


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([[_cell(value) for value in row] for row in rows])
    return written.getvalue()


def _cell(value: Any) -> str | int | float:
    """A value as it stands in a cell; text that would be run as a formula begins with a quote."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return machine_time(value)
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"'{text}" if text.lstrip(" ").startswith(_BEGINS_FORMULA) else text
