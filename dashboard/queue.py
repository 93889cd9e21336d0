"""What the dashboard asks of other processes: a connection to their queues."""

from collections.abc import Sequence
from uuid import UUID

from flask import current_app

from actors.hints import hint_all
from dashboard.parts import parts
from queues import messages
from queues.broker import CLIENT_TIMEOUT, QueueBroker, build_broker

EXTENSION = "brazebee queues"


def broker() -> QueueBroker:
    """The broker of the application at hand, made when it is first needed."""
    found: QueueBroker | None = current_app.extensions.get(EXTENSION)
    if found is None:
        found = build_broker(parts().settings.redis_url, timeout=CLIENT_TIMEOUT)
        current_app.extensions[EXTENSION] = found
    return found


def ask_for_deliveries(ids: Sequence[UUID]) -> None:
    """Have deliveries that were just written sent at once; should that fail, the clock does it."""
    hint_all(broker(), [messages.deliver(delivery_id, 1) for delivery_id in ids])
