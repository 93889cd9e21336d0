"""Shows the progress of a measurement of several minutes, on standard error."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import click


class Progress:
    """A bar over steps with estimated durations; without a terminal, a line for each step."""

    def __init__(self, seconds: float) -> None:
        self._bar = click.progressbar(
            length=max(1, round(seconds)), file=sys.stderr, show_eta=False, item_show_func=str
        )
        self._at_terminal = sys.stderr.isatty()

    @contextmanager
    def started(self) -> Iterator[None]:
        """Show the bar during a block."""
        with self._bar if self._at_terminal else nullcontext():
            yield

    @contextmanager
    def step(self, name: str, seconds: float) -> Iterator[None]:
        """Show a step during a block, with its estimated duration."""
        if not self._at_terminal:
            click.echo(name, err=True)
            yield
            return
        finished = threading.Event()
        moving = threading.Thread(target=self._move, args=(name, round(seconds), finished))
        moving.start()
        try:
            yield
        finally:
            finished.set()
            moving.join()

    def _move(self, name: str, seconds: int, finished: threading.Event) -> None:
        self._bar.update(0, name)
        self._bar.render_progress()
        for _ in range(seconds):
            finished.wait(1.0)
            self._bar.update(1, name)
        finished.wait()
