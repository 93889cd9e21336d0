"""Progress on standard error: a bar at a terminal, and now and then a line elsewhere."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import click

POLL_SECONDS = 0.2

LINE_SECONDS = 5.0
"""Without a terminal, a line shows the progress this often, so quick work prints none."""

T = TypeVar("T")


def with_progress(items: Iterable[T], *, length: int, label: str) -> Iterator[T]:
    """Yield the items while a bar counts them to `length`."""
    lines = _Lines(length, label)
    with click.progressbar(
        items, length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        for item in bar:
            lines.add(1)
            yield item


def show_progress(steps: Iterable[int], *, length: int, label: str) -> None:
    """Show a bar that adds up numbers of completed items to `length`."""
    lines = _Lines(length, label)
    with click.progressbar(
        length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        for step in steps:
            bar.update(step)
            lines.add(step)


class _Lines:
    """Prints the progress in lines, where standard error is no terminal, such as a log."""

    def __init__(self, length: int, label: str) -> None:
        self._length, self._label, self._done = length, label, 0
        self._printed_at = time.monotonic()

    def add(self, number: int) -> None:
        """Count completed items."""
        self._done += number
        at = time.monotonic()
        if sys.stderr.isatty() or at - self._printed_at < LINE_SECONDS:
            return
        self._printed_at = at
        click.echo(f"{self._label}: {self._done:,} of {self._length:,}", err=True)


def wait_for_zero(
    count: Callable[[], int], *, length: int, label: str, patience_seconds: float, leftover: str
) -> None:
    """Show a bar until a count falls from `length` to 0.

    Gives up after `patience_seconds` without any progress, and then prints the number that
    remains, followed by the text `leftover`.
    """
    show_progress(_decreases(count, length, patience_seconds, leftover), length=length, label=label)


def _decreases(
    count: Callable[[], int], remaining: int, patience_seconds: float, leftover: str
) -> Iterator[int]:
    last_progress = time.monotonic()
    while remaining:
        time.sleep(POLL_SECONDS)
        now_remaining = min(remaining, count())
        if now_remaining < remaining:
            last_progress = time.monotonic()
            yield remaining - now_remaining
            remaining = now_remaining
        elif time.monotonic() - last_progress > patience_seconds:
            click.echo(f"{remaining} {leftover}", err=True)
            return
