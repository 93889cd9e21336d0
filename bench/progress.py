"""Shows on standard error how far a measurement of several minutes is."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import click


class Progress:
    """A bar over steps that take about so many seconds each; lines where nobody looks."""

    def __init__(self, seconds: float) -> None:
        self._bar = click.progressbar(
            length=max(1, round(seconds)), file=sys.stderr, show_eta=False, item_show_func=str
        )
        self._at_terminal = sys.stderr.isatty()

    @contextmanager
    def started(self) -> Iterator[None]:
        """Show it meanwhile."""
        with self._bar if self._at_terminal else nullcontext():
            yield

    @contextmanager
    def step(self, what: str, seconds: float) -> Iterator[None]:
        """Something that takes about so long."""
        if not self._at_terminal:
            click.echo(what, err=True)
            yield
            return
        over = threading.Event()
        moving = threading.Thread(target=self._move, args=(what, round(seconds), over))
        moving.start()
        try:
            yield
        finally:
            over.set()
            moving.join()

    def _move(self, what: str, seconds: int, over: threading.Event) -> None:
        self._bar.update(0, what)
        self._bar.render_progress()
        for _ in range(seconds):
            over.wait(1.0)
            self._bar.update(1, what)
        over.wait()
