"""Instants in a test file: an offset from its start, such as `3 days 4 hours`, or a date."""

import re
from dataclasses import dataclass
from datetime import datetime

from ruamel.yaml.nodes import Node

from rules.durations import shift
from rules.file.phrase import read_phrase_text
from rules.file.source import Source
from rules.language.parser import parse_offset
from rules.phrases.fields import as_instant

_LIKE_A_DATE = re.compile(r"\s*\d{4}-")


@dataclass(frozen=True)
class TestInstant:
    """An instant, and how the test file writes it."""

    at: datetime
    written: str
    is_date: bool = False


def read_instant(source: Source, node: Node, what: str, start: datetime) -> TestInstant | None:
    """Read an offset from `start` or a date; None after a fault."""
    text = source.text(node, what)
    if text is None:
        return None
    if _LIKE_A_DATE.match(text):
        date = read_date(source, node, what)
        return TestInstant(date, text.strip(), is_date=True) if date else None
    offset = read_phrase_text(source, node, what, parse_offset)
    return None if offset is None else TestInstant(shift(start, offset), text.strip())


def read_date(source: Source, node: Node, what: str) -> datetime | None:
    """Read a date, optionally with a time, in UTC unless it has an offset; None after a fault."""
    text = source.text(node, what)
    date = None if text is None else as_instant(text)
    if text is not None and date is None:
        source.fault(
            node, f"{what} must be a date such as `2026-01-05` or `2026-01-05 09:30`, not `{text}`"
        )
    return date
