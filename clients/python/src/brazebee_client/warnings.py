"""Warnings that do not flood the log: each at most once a minute, with how often it happened."""

from __future__ import annotations

import logging
import threading
import time

logger = logging.getLogger("brazebee_client")

PAUSE_SECONDS = 60.0


class Warnings:
    """Logs warnings for the client."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._last: dict[str, float] = {}
        self._suppressed: dict[str, int] = {}

    def warn(self, subject: str, message: str, *arguments: object) -> None:
        """Log a warning, unless the last one on its subject is less than a minute ago."""
        now = time.monotonic()
        with self._lock:
            last = self._last.get(subject)
            if last is not None and now - last < PAUSE_SECONDS:
                self._suppressed[subject] = self._suppressed.get(subject, 0) + 1
                return
            self._last[subject] = now
            suppressed = self._suppressed.pop(subject, 0)
        if suppressed:
            message += f" (and {suppressed} times since the last such warning)"
        logger.warning(message, *arguments)

    def forget_after_fork(self) -> None:
        """Begin with a free lock in a child."""
        self._lock = threading.RLock()
