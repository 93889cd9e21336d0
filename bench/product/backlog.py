"""What waits in the queues of a Redis, seen from outside."""

import redis

from bench.load.clients import Clients
from queues.messages import EVENTS, HEALTH

QUEUES = (EVENTS, HEALTH)

MOST_WAITING = 2_000
"""Messages. Clients are held back above it, so that what comes out is what goes in."""


class Backlog:
    """The queues `events` and `health` in one of Redis's databases."""

    def __init__(self, url: str, database: int = 0) -> None:
        self.url = f"{url.partition('?')[0]}?db={database}"
        self.database = database
        self._client = redis.Redis.from_url(self.url)

    def unfinished(self) -> int:
        """Messages that wait or are being worked on."""
        return sum(int(self._client.hlen(f"dramatiq:{queue}.msgs")) for queue in QUEUES)

    def regulate(self, clients: Clients) -> None:
        """Hold clients back while too much waits."""
        waiting = sum(int(self._client.llen(f"dramatiq:{queue}")) for queue in QUEUES)
        clients.hold(waiting > MOST_WAITING)

    def copy_to(self, other: "Backlog") -> None:
        """Put the same messages into another database, byte by byte."""
        other.clear()
        for queue in (EVENTS, f"{EVENTS}.msgs"):
            self._client.copy(
                f"dramatiq:{queue}", f"dramatiq:{queue}", destination_db=str(other.database)
            )

    def clear(self) -> None:
        """Forget everything in this database."""
        self._client.flushdb()
