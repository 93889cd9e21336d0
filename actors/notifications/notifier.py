"""Sends messages to people: one attempt for each `notify` message, within the room for them."""

import threading
from uuid import UUID

from services.notifications.delivery import Sender
from services.notifications.metrics import NotificationCounters

MOST_AT_ONCE = 64
"""Attempts of a process at a time: those that hang must not occupy the threads of webhooks."""


class Notifier:
    """The work of the `notify` actor."""

    def __init__(
        self, sender: Sender, counters: NotificationCounters, most_at_once: int = MOST_AT_ONCE
    ) -> None:
        self._sender = sender
        self._counters = counters
        self._room = threading.BoundedSemaphore(most_at_once)
        self._stopping = False

    def stop(self) -> None:
        """Make no further attempts: those that are asked for are left to the clock."""
        self._stopping = True

    def notify(self, organization_id: int, message_id: UUID) -> None:
        """Make an attempt, if there is room and it is due; otherwise the clock asks again.

        Raises:
            OperationalError, InterfaceError: PostgreSQL cannot be reached. If a lease began, it
                expires, and the clock enqueues the message again.
        """
        if self._stopping or not self._room.acquire(blocking=False):
            return
        try:
            recorded = self._sender.send(organization_id, message_id)
            if recorded is not None:
                self._counters.attempted(recorded)
        finally:
            self._room.release()
