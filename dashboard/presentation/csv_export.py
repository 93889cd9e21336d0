"""Companies as CSV; text from clients cannot run as a formula when a spreadsheet opens it."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from dashboard.presentation.wording import machine_time
from models.companies.companies import LINK_FIELDS
from models.companies.company_list import ListedCompany

BYTE_ORDER_MARK = "\ufeff"
"""Without it some spreadsheets misread UTF-8."""

MOST_COLUMNS = 1_000
"""Custom fields with a column each; the others share one."""

OTHER_FIELDS = "other_fields"
"""The column with the others, as JSON, which exists only if there are any."""

COLUMNS = (
    "id",
    "name",
    "status",
    "previous_status",
    "since",
    "score",
    "last_event_at",
    "owner",
    "value",
    "renewal",
    "raised_flags",
    *LINK_FIELDS,
)

_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Including their full-width forms."""


def as_csv(chunks: Iterable[Sequence[ListedCompany]], fields: Sequence[str]) -> Iterator[str]:
    """Yield the lines, header first, one chunk at a time; custom `fields` get a column each.

    If there are more than `MOST_COLUMNS`, those beyond share a column. A field with the name of
    another column, such as `owner`, has the title `field.owner`.
    """
    own = dict.fromkeys(fields[:MOST_COLUMNS])
    titles = [f"field.{name}" if name in COLUMNS else name for name in own]
    has_others = len(fields) > MOST_COLUMNS
    yield BYTE_ORDER_MARK + csv_lines(
        [[*COLUMNS, *titles, *([OTHER_FIELDS] if has_others else [])]]
    )
    for companies in chunks:
        rows = [_row(company, own) for company in companies]
        if has_others:
            for row, company in zip(rows, companies, strict=True):
                row.append(_others(company, own))
        yield csv_lines(rows)


def _others(company: ListedCompany, own: Collection[str]) -> dict[str, Any] | None:
    return {name: value for name, value in company.traits.items() if name not in own} or None


def _row(company: ListedCompany, fields: Iterable[str]) -> list[Any]:
    return [
        company.id,
        company.name,
        company.health_status,
        company.previous_status,
        company.since,
        company.score,
        company.last_event_at,
        company.owner,
        company.value,
        company.renews_on,
        "; ".join(f"{raised['flag']}: {raised['status']}" for raised in company.raised),
        *(company.links[name] for name in LINK_FIELDS),
        *(company.traits.get(field) for field in fields),
    ]


def csv_lines(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as lines of CSV."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows([[_cell(value) for value in row] for row in rows])
    return buffer.getvalue()


def _cell(value: Any) -> str | int | float | Decimal:
    """Return the content of a cell; a leading quote keeps text from running as a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, datetime):
        return machine_time(value)
    if isinstance(value, date):
        return value.isoformat()
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_PREFIXES) else text
