"""Shows how far something is, to people who wait at a terminal."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

T = TypeVar("T")


def with_progress(items: Iterable[T], *, length: int, label: str) -> Iterator[T]:
    """The items, with a bar on standard error that counts them to `length`."""
    with click.progressbar(
        items, length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield from bar
