"""The length of the queues in Redis, from outside the product."""

import redis

from bench.load.clients import Clients
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
        return sum(int(self._client.hlen(f"dramatiq:{queue}.msgs")) for queue in QUEUES)

    def regulate(self, clients: Clients) -> None:
        """Pause clients while too many messages are waiting."""
        waiting = sum(int(self._client.llen(f"dramatiq:{queue}")) for queue in QUEUES)
        clients.set_paused(paused=waiting > MAXIMUM_WAITING)

    def copy_to(self, other: "Backlog") -> None:
        """Copy the messages to another database, byte for byte."""
        other.clear()
        for queue in (EVENTS, f"{EVENTS}.msgs"):
            self._client.copy(
                f"dramatiq:{queue}", f"dramatiq:{queue}", destination_db=str(other.database)
            )

    def clear(self) -> None:
        """Delete everything in this database."""
        self._client.flushdb()
