"""Signals that ask a process to stop. The first one counts; further ones change nothing.

A process often gets several: from a terminal or systemd, which signal a whole group, and again from
the process that supervises it. Handlers only note a signal: they may interrupt any line of the main
thread, also one that holds the lock that they would need, such as that of a `threading.Event`.
"""

import atexit
import signal
import time
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

LONGEST_SLEEP_SECONDS = 0.05
"""A handler does not end a sleep, so what waits for a signal sleeps for so long at a time."""


class StopRequest:
    """Whether a signal has asked this process to stop."""

    def __init__(self) -> None:
        self._noted = False

    def is_set(self) -> bool:
        """Return whether a signal has come."""
        return self._noted

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, at most for so long; return whether one has come."""
        until = time.monotonic() + seconds
        while not self._noted and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LONGEST_SLEEP_SECONDS))
        return self._noted

    def note(self, _number: int, _frame: FrameType | None) -> None:
        """Note a signal; this is the handler."""
        self._noted = True


def stop_on_signals() -> StopRequest:
    """Return a request that is set by Ctrl-C, SIGTERM or SIGHUP from now on."""
    request = StopRequest()
    for number in STOP_SIGNALS:
        signal.signal(number, request.note)
    atexit.register(ignore_stop_signals)
    return request


def ignore_stop_signals() -> None:
    """Ignore them: when Python ends, it would restore their usual effect, which is to kill."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
