"""Progress bars on standard error, for people who wait at a terminal."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import click

POLL_SECONDS = 0.2

T = TypeVar("T")


def with_progress(items: Iterable[T], *, length: int, label: str) -> Iterator[T]:
    """Yield the items while a bar counts them to `length`."""
    with click.progressbar(
        items, length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield from bar


def show_progress(steps: Iterable[int], *, length: int, label: str) -> None:
    """Show a bar that adds up numbers of completed items to `length`."""
    with click.progressbar(
        length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        for step in steps:
            bar.update(step)


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
