"""Numbers as people type them into filters, and as pages show them."""

import re
from decimal import Decimal

from rules.phrases.fields import as_number

_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([ ,'\u2019\u00a0\u202f])\d{3})(?:\1\d{3})*(?:\.\d+)?")
"""Digits in groups of three, such as 12,500 and 12 500.50."""


def typed_number(text: str) -> Decimal | None:
    """Return a number, with or without separators of thousands; None if the text is none."""
    text = text.strip()
    grouped = _GROUPED.fullmatch(text)
    return as_number(text.replace(grouped[1], "") if grouped else text)
