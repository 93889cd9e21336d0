"""Deadlines of attempts, by wall-clock time."""

import socket
import threading
import time
from heapq import heappop, heappush
from itertools import count

from config.webhook_policy import WebhookPolicy

TO_END_SECONDS = 0.05
"""How long the end of an attempt may take before the next whose time is up is ended."""


class Deadline:
    """The end of an attempt by wall-clock time, from its creation on.

    When the time is up, the sockets in use are shut down, whichever call is waiting on them. If the
    time of many is up at once, they end one after another: the threads of hundreds would compete
    for the interpreter, and attempts to other endpoints would wait behind all of them.
    """

    def __init__(self, policy: WebhookPolicy) -> None:
        self.seconds = policy.timeout.total_seconds()
        self.connect_seconds = policy.connect_timeout.total_seconds()
        self.ends_at = time.monotonic() + self.seconds
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._ended = threading.Event()
        self.stopped = False
        _WATCHDOG.watch(self)

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.ends_at

    def watch(self, connected: socket.socket) -> None:
        """Shut down this socket as well."""
        # A duplicate, because TLS takes over the original and the connection may close it.
        with self._lock:
            self._sockets.append(connected.dup())
        if self.passed:
            self.shut_down()

    @property
    def reason(self) -> str:
        """Return what to say of an attempt whose time was up."""
        return STOPPED if self.stopped else f"no answer within {self.seconds:g} s"

    def remaining_to_connect(self) -> float:
        """Return the seconds that resolving or connecting may take from now on; never 0."""
        return min(self.connect_seconds, max(0.001, self.ends_at - time.monotonic()))

    def cancel(self) -> None:
        """Let go of the sockets: the attempt has ended."""
        self._ended.set()
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()

    def end(self) -> None:
        """Shut down the sockets, and wait a moment for the attempt to end."""
        if not self._ended.is_set():
            self.shut_down()
            self._ended.wait(TO_END_SECONDS)

    def stop(self) -> None:
        """End the attempt now, unless it has ended."""
        if not self._ended.is_set():
            self.stopped = True
            self.ends_at = time.monotonic()
            self.shut_down()

    def shut_down(self) -> None:
        """Shut down the sockets."""
        with self._lock:
            for watched in self._sockets:
                try:
                    watched.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the peer has closed it already


STOPPED = "Brazebee was stopped before an answer came"


def stop_attempts() -> None:
    """End all attempts in progress now, because this process stops."""
    _WATCHDOG.stop_all()


class _Watchdog:
    """Ends what has not ended by its deadline; one thread for all attempts of a process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadlines: list[tuple[float, int, Deadline]] = []  # a heap
        self._numbers = count()
        self._thread: threading.Thread | None = None

    def watch(self, deadline: Deadline) -> None:
        with self._changed:
            heappush(self._deadlines, (deadline.ends_at, next(self._numbers), deadline))
            if self._thread is None or not self._thread.is_alive():  # as in a forked process
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif self._deadlines[0][2] is deadline:
                self._changed.notify()

    def stop_all(self) -> None:
        with self._changed:
            deadlines = [deadline for _, _, deadline in self._deadlines]
        for deadline in deadlines:
            deadline.stop()

    def _run(self) -> None:
        while True:
            self._next_passed().end()

    def _next_passed(self) -> Deadline:
        with self._changed:
            while True:
                wait = self._deadlines[0][0] - time.monotonic() if self._deadlines else None
                if wait is not None and wait <= 0:
                    return heappop(self._deadlines)[2]
                self._changed.wait(wait)


_WATCHDOG = _Watchdog()
