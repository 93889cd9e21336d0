"""A worker process with as many threads as there are attempts in progress."""

import logging
import threading
from collections.abc import Collection
from typing import Any

from dramatiq import Broker, MessageProxy, Middleware, Worker

from queues import dramatiq_layout

logger = logging.getLogger("brazebee.actors")

SPARE = 4
"""Threads that are idle while there may be more, so that a message never waits for one to start."""

MOST_SPARE = 8
"""With more idle threads than this, one ends: each of them wakes once a second."""


class ElasticThreads(Middleware):
    """Adds threads while messages of some queues occupy nearly all, and ends them afterwards.

    A thread that waits for an answer costs about 40 KB. `most` bounds their number.
    """

    def __init__(self, queue_names: Collection[str], most: int) -> None:
        self._queue_names = frozenset(queue_names)
        self._most = most
        self._lock = threading.Lock()
        self._busy = 0
        self._worker: Worker | None = None

    def after_worker_boot(self, _broker: Broker, worker: Worker) -> None:
        """See `dramatiq.Middleware`."""
        self._worker = worker

    def before_worker_shutdown(self, _broker: Broker, _worker: Worker) -> None:
        """See `dramatiq.Middleware`. From now on, the threads stay as they are."""
        with self._lock:
            self._worker = None

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        """See `dramatiq.Middleware`."""
        if message.queue_name not in self._queue_names:
            return
        with self._lock:
            self._busy += 1
            if self._worker is None:
                return
            threads = len(self._worker.workers)
            if threads < min(self._most, self._busy + SPARE):
                try:
                    dramatiq_layout.add_thread(self._worker)
                except RuntimeError as error:  # the system has no more
                    logger.warning("%d threads, and no more: %s", threads, error)

    def after_process_message(
        self,
        _broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,  # noqa: ARG002 -- Dramatiq passes it by name
        exception: BaseException | None = None,  # noqa: ARG002
    ) -> None:
        """See `dramatiq.Middleware`."""
        if message.queue_name not in self._queue_names:
            return
        with self._lock:
            self._busy -= 1
            if self._worker is not None and len(self._worker.workers) > self._busy + MOST_SPARE:
                dramatiq_layout.end_current_thread(self._worker)
