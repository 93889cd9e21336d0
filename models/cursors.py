"""Cursors of paginated lists: the sort keys of the last row of a page, as text for a URL."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from itertools import takewhile
from typing import Any
from uuid import UUID

import orjson

from models.errors import ModelError

MAX_LENGTH = 4_000
"""Characters; a name and an id of the greatest length need fewer."""


LARGEST_EXPONENT = 1_500
"""Of a number in a cursor: any number in a list is below, and one far above fails in PostgreSQL."""


class UnreadableCursor(ModelError, ValueError):
    """Raised when a text is not a cursor of the list that it is used for."""


@dataclass(frozen=True)
class Cursor:
    """Reads and writes cursors of one order of a list; its keys have these PostgreSQL types."""

    order: str
    types: tuple[str, ...]

    def write(self, keys: Sequence[Any]) -> str:
        """Return the cursor of the row with these keys."""
        return (
            urlsafe_b64encode(orjson.dumps([self.order, *keys], default=str)).decode().rstrip("=")
        )

    def next_page(self, rows: Sequence[Mapping[str, Any]], limit: int, *names: str) -> str | None:
        """Return the cursor of the page after `limit` rows, None if these are all.

        `rows` has one row more than `limit` if there is a next page; `names` are its keys.
        """
        if len(rows) <= limit:
            return None
        return self.write([rows[limit - 1][name] for name in names])

    def read(self, text: str | None) -> dict[str, Any]:
        """Return the parameters `cursor_0`, `cursor_1`, ... of a cursor; none for the first page.

        Raises:
            UnreadableCursor: The text is not a cursor of this order.
        """
        if text is None:
            return {}
        try:
            order, *keys = orjson.loads(_decode(text))
            named = zip(self.types, keys, strict=True)
            read = [_READ[kind](key) for kind, key in named] if order == self.order else None
        except (OverflowError, TypeError, ValueError):
            read = None
        if read is None:
            raise UnreadableCursor("there is no such place in this list")
        return {f"cursor_{number}": key for number, key in enumerate(read)}

    def condition(
        self, columns: Sequence[str], text: str | None, *, descending: bool | Sequence[bool]
    ) -> str:
        """Return SQL that begins with `and`, for the rows after a cursor; empty without one.

        `descending` is the direction of all columns, or that of each.
        """
        if text is None:
            return ""
        values = [f"%(cursor_{n})s::{kind}" for n, kind in enumerate(self.types)]
        each = [descending] * len(values) if isinstance(descending, bool) else descending
        return f" and {_after(list(zip(columns, values, each, strict=True)))}"


def _after(keys: Sequence[tuple[str, str, bool]]) -> str:
    """Return SQL for the rows after one with these values, by columns with their directions.

    Columns that follow each other in one direction are compared as a row.
    """
    descending = keys[0][2]
    alike = list(takewhile(lambda key: key[2] is descending, keys))
    columns = ", ".join(column for column, _, _ in alike)
    values = ", ".join(value for _, value, _ in alike)
    beyond = f"({columns}) {'<' if descending else '>'} ({values})"
    others = keys[len(alike) :]
    return f"({beyond} or ({columns}) = ({values}) and {_after(others)})" if others else beyond


def _decode(text: str) -> bytes:
    if len(text) > MAX_LENGTH:
        raise ValueError(text)
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _integer(key: Any) -> int:
    # SQL has no literal of -2**63: the minus sign is applied to 2**63, which is out of range.
    if type(key) is not int or not -(2**63) < key < 2**63:
        raise ValueError(key)
    return key


def _text(key: Any) -> str:
    if not isinstance(key, str) or "\0" in key:
        raise ValueError(key)
    return key


def _instant(key: Any) -> datetime:
    at = datetime.fromisoformat(key)
    if at.tzinfo is None:
        raise ValueError(key)
    return at.astimezone(UTC)  # PostgreSQL refuses offsets that Python accepts


def _date(key: Any) -> date:
    return date.fromisoformat(_text(key))


def _decimal(key: Any) -> Decimal:
    try:
        number = Decimal(_text(key))
    except InvalidOperation:
        raise ValueError(key) from None
    if not number.is_finite() or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError(key)
    return number


def _uuid(key: Any) -> UUID:
    return UUID(_text(key))


_READ: dict[str, Callable[[Any], Any]] = {
    "bigint": _integer,
    "date": _date,
    "numeric": _decimal,
    "text": _text,
    "timestamptz": _instant,
    "uuid": _uuid,
}
