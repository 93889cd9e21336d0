"""The length of the queues in Redis, from outside the product."""

import redis

from bench.load.clients import Clients
from queues.dramatiq_layout import NAMESPACE, messages_key, queue_key
from queues.messages import EVENTS, HEALTH

QUEUES = (EVENTS, HEALTH)

MAXIMUM_WAITING = 2_000
"""Messages. Clients pause above it, so that input and output are equally fast."""


class Backlog:
    """The queues `events` and `health` in one database of Redis."""

    def __init__(self, url: str, database: int = 0) -> None:
        self.url = f"{url.partition('?')[0]}?db={database}"
        self.database = database
        self._client = redis.Redis.from_url(self.url)

    def unfinished(self) -> int:
        """Return the number of messages that are waiting or being processed."""
        return sum(int(self._client.hlen(messages_key(NAMESPACE, queue))) for queue in QUEUES)

    def regulate(self, clients: Clients) -> None:
        """Pause clients while too many messages are waiting."""
        waiting = sum(int(self._client.llen(queue_key(NAMESPACE, queue))) for queue in QUEUES)
        clients.set_paused(paused=waiting > MAXIMUM_WAITING)

    def copy_to(self, other: "Backlog") -> None:
        """Copy the messages to another database, byte for byte."""
        other.clear()
        for key in (queue_key(NAMESPACE, EVENTS), messages_key(NAMESPACE, EVENTS)):
            self._client.copy(key, key, destination_db=str(other.database))

    def clear(self) -> None:
        """Delete everything in this database."""
        self._client.flushdb()
