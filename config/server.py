"""Runs a server of another package so that it stops in order, however many signals come.

    python -P -m config.server dramatiq actors.worker --queues events

At a second SIGTERM, Dramatiq ends at once and leaves its work; Granian's handler can wait forever
for a lock of the first one. So here only the first SIGINT or SIGTERM reaches the handler of a
server, in each of its processes. A server that was asked to stop, and stopped, has succeeded.
"""

import atexit
import signal
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pkgutil import resolve_name
from types import FrameType
from typing import Any

from config.stop_signals import ignore_stop_signals

_set_handler = signal.signal
_asked_to_stop = False


def _first_only(handler: Callable[[int, FrameType | None], Any]) -> Any:
    def handle(number: int, frame: FrameType | None) -> None:
        global _asked_to_stop  # noqa: PLW0603 -- signals belong to the process
        if not _asked_to_stop:
            _asked_to_stop = True
            handler(number, frame)

    return handle


def _set_first_only(number: int, handler: Any) -> Any:
    """Replace `signal.signal`."""
    if number in (signal.SIGINT, signal.SIGTERM) and callable(handler):
        handler = _first_only(handler)
    return _set_handler(number, handler)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Handle a signal before the server has handlers of its own."""
    sys.exit(0)


def _run(name: str, arguments: list[str]) -> Any:
    """Run a command of an installed package; return its exit code."""
    [command] = entry_points(group="console_scripts", name=name)
    sys.argv = [name, *arguments]
    try:
        return resolve_name(command.value.replace(":", "."))()  # imports submodules too
    except SystemExit as end:
        return end.code


if __name__ in ("__main__", "__mp_main__"):  # the latter in processes that are spawned
    signal.signal = _set_first_only  # type: ignore[assignment]

if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        _set_handler(number, _end)
    atexit.register(ignore_stop_signals)
    code = _run(sys.argv[1], sys.argv[2:])
    sys.exit(0 if _asked_to_stop else code)
