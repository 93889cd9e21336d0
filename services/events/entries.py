"""Entries of the journal in a form that people can read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import zip_longest

import orjson

from config.printable import printable
from services.events.tracked_event import ACCEPTED_AT

SHORT = 200
"""Characters of a text in a list."""


def pairs(fields: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Return the fields of an entry with their values."""
    return list(zip_longest(fields[::2], fields[1::2], fillvalue=b""))


def accepted_at(fields: Sequence[bytes]) -> datetime | None:
    """Return when an entry was first accepted into the journal, if it has that time."""
    try:
        return datetime.fromisoformat(orjson.loads(fields[1])[ACCEPTED_AT])
    except (IndexError, KeyError, TypeError, ValueError):
        pass
    try:
        return datetime.fromtimestamp(int(dict(pairs(fields))[b"t"]) / 1_000_000, UTC)
    except (KeyError, OverflowError, ValueError):
        return None


def as_text(content: bytes) -> str:
    """Return content as printable text, in which everything else is escaped, in Python's way."""
    return printable(content.decode(errors="backslashreplace"), keep="\n\t")


def short(text: str) -> str:
    """Return the first line of a text, printable and cut off after `SHORT` characters."""
    line = as_text(text.strip().partition("\n")[0].encode())
    return line if len(line) <= SHORT else f"{line[:SHORT]}…"
