"""How far an import is: a line on standard error for people who wait at a terminal."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

EVERY_SECONDS = 0.5
_ERASE = "\r\x1b[K"


def with_rate(
    items: Iterable[T], done: Callable[[T], int], *, total: int, label: str, unit: str
) -> Iterator[T]:
    """Yield items while a line shows how much is done, how fast, and how long the rest takes.

    `done` returns what an item adds to the total.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    started, shown, count = time.monotonic(), 0.0, 0
    try:
        for item in items:
            count += done(item)
            now = time.monotonic()
            if now - shown >= EVERY_SECONDS:
                shown = now
                sys.stderr.write(_ERASE + _line(label, count, total, now - started, unit))
                sys.stderr.flush()
            yield item
    finally:
        sys.stderr.write(_ERASE)
        sys.stderr.flush()


def _line(label: str, count: int, total: int, seconds: float, unit: str) -> str:
    rate = count / seconds if seconds else 0
    left = (total - count) / rate if rate else 0
    return (
        f"{label}: {count:,} of {total:,} {unit}, {count / max(total, 1):.0%},"
        f" {rate:,.0f} a second, {left // 60:.0f}:{left % 60:02.0f} left"
    )
