"""Places in lists that are read page by page: the keys of the last row, as text for an address."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from models.errors import ModelError

MAX_LENGTH = 4_000
"""Characters; a name and an id of the greatest length come to less."""


class UnreadableCursor(ModelError, ValueError):
    """Raised when what should name a place in a list does not."""


@dataclass(frozen=True)
class Cursor:
    """Names places in one order of a list, by keys of these PostgreSQL types."""

    order: str
    types: tuple[str, ...]

    def write(self, keys: Sequence[Any]) -> str:
        """The name of the place of a row."""
        return urlsafe_b64encode(orjson.dumps([self.order, *keys])).decode().rstrip("=")

    def read(self, place: str | None) -> dict[str, Any]:
        """The parameters `cursor_0`, `cursor_1`, ... for a place; none for the beginning.

        Raises:
            UnreadableCursor: it is not one that `write` makes in this order.
        """
        if place is None:
            return {}
        try:
            order, *keys = orjson.loads(_decoded(place))
            named = zip(self.types, keys, strict=True)
            read = [_READ[kind](key) for kind, key in named] if order == self.order else None
        except (TypeError, ValueError):
            read = None
        if read is None:
            raise UnreadableCursor("there is no such place in this list")
        return {f"cursor_{number}": key for number, key in enumerate(read)}

    def condition(self, columns: Sequence[str], place: str | None, *, descending: bool) -> str:
        """SQL, beginning with `and`, for what comes after a place in the order of columns."""
        if place is None:
            return ""
        keys = [f"%(cursor_{n})s::{kind}" for n, kind in enumerate(self.types)]
        return f" and ({', '.join(columns)}) {'<' if descending else '>'} ({', '.join(keys)})"


def _decoded(place: str) -> bytes:
    if len(place) > MAX_LENGTH:
        raise ValueError(place)
    return urlsafe_b64decode(place + "=" * (-len(place) % 4))


def _integer(key: Any) -> int:
    if not isinstance(key, int) or not -(2**63) <= key < 2**63:
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
    return at


def _uuid(key: Any) -> UUID:
    return UUID(_text(key))


_READ: dict[str, Callable[[Any], Any]] = {
    "bigint": _integer,
    "text": _text,
    "timestamptz": _instant,
    "uuid": _uuid,
}
