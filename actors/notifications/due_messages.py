"""Finds the messages to people that are due, and enqueues them."""

from datetime import datetime, timedelta

from models import across_organizations
from models.across_organizations import DueMessage
from queues import messages
from queues.broker import QueueBroker

CHUNK = 200
"""The most messages found by a query; a queue with this many messages gets no more."""

AGAIN_AFTER = timedelta(seconds=5)
"""What is still due after this time is enqueued again; it had no room, or its message is lost."""


class DueMessages:
    """What the clock knows about messages that it has enqueued."""

    def __init__(self, broker: QueueBroker) -> None:
        self._broker = broker
        self._enqueued: dict[DueMessage, datetime] = {}

    def enqueue(self, now: datetime) -> int:
        """Enqueue the messages that are due, unless they were just enqueued; return the number."""
        self._enqueued = {due: at for due, at in self._enqueued.items() if at > now - AGAIN_AFTER}
        if self._broker.waiting(messages.NOTIFICATIONS) >= CHUNK:
            return 0
        found = across_organizations.find_due_messages(
            until=now, limit=CHUNK, leave_out=self._enqueued
        )
        for due in found:
            self._broker.enqueue(messages.notify(due.organization_id, due.message_id))
            self._enqueued[due] = now
        return len(found)
