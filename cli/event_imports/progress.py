"""How far an import is: a line on standard error for people who wait at a terminal."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple, TypeVar

T = TypeVar("T")

EVERY_SECONDS = 0.5
_ERASE = "\r\x1b[K"

_UNITS = (("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000))


class Done(NamedTuple):
    """How much is done: a part of the total, and the number of records in it."""

    part: int
    records: int


def with_rate(
    items: Iterable[T], done: Callable[[T], Done], *, total: int, size: str, label: str, unit: str
) -> Iterator[T]:
    """Yield items while a line shows how much is done, how fast, and how long the rest takes.

    `done` returns what an item adds, `size` is the total as a text, and `unit` names records.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    started, shown, so_far = time.monotonic(), 0.0, Done(0, 0)
    try:
        for item in items:
            added = done(item)
            so_far = Done(so_far.part + added.part, so_far.records + added.records)
            now = time.monotonic()
            if now - shown >= EVERY_SECONDS:
                shown = now
                line = progress_line(so_far, total, now - started, size=size, unit=unit)
                sys.stderr.write(f"{_ERASE}{label}: {line}")
                sys.stderr.flush()
            yield item
    finally:
        sys.stderr.write(_ERASE)
        sys.stderr.flush()


def progress_line(done: Done, total: int, seconds: float, *, size: str, unit: str) -> str:
    """Return a line such as `25% of 48 MB, 120,000 rows, 41,000 a second, 0:08 left`."""
    share = min(done.part / max(total, 1), 1)
    rate = done.records / seconds if seconds else 0
    left = timedelta(seconds=round(seconds / share * (1 - share)) if share else 0)
    return (
        f"{share:.0%} of {size}, {done.records:,} {unit}, {rate:,.0f} a second,"
        f" {str(left).removeprefix('0:').removeprefix('0')} left"
    )


def readable_size(number: int) -> str:
    """Return a number of bytes in a unit that people read, such as `48 MB`."""
    for name, unit in _UNITS:
        if number >= unit:
            return (
                f"{number / unit:.1f} {name}" if number < 10 * unit else f"{number // unit} {name}"
            )
    return f"{number} bytes"
