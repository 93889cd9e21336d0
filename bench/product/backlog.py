"""What waits in Redis to be stored and evaluated, from outside the product."""

import json
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from bench.load.clients import Clients
from queues.dramatiq_layout import NAMESPACE, messages_key, queue_key
from queues.journal import keys
from queues.journal.journal import FORMAT, Journal
from queues.messages import EVENTS, HEALTH, PERSIST

QUEUES = (EVENTS, HEALTH)

MAXIMUM_WAITING = 2_000
"""Events and messages. Clients pause above it, so that input and output are equally fast."""


class Backlog:
    """The journal, and the queues `events` and `health`, in one database of Redis."""

    def __init__(self, url: str, database: int = 0) -> None:
        self.url = f"{url.partition('?')[0]}?db={database}"
        self._client = redis.Redis.from_url(self.url)
        self._journal = Journal(self._client)

    def _in_journal(self) -> int:
        return sum(lane.entries for lane in self._journal.waiting())

    def unfinished(self) -> int:
        """Return the number of events and messages that are waiting or being processed."""
        messages = (int(self._client.hlen(messages_key(NAMESPACE, queue))) for queue in QUEUES)
        return self._in_journal() + sum(messages)

    def regulate(self, clients: Clients) -> None:
        """Pause clients while too much is waiting."""
        messages = (int(self._client.llen(queue_key(NAMESPACE, queue))) for queue in QUEUES)
        clients.set_paused(paused=self._in_journal() + sum(messages) > MAXIMUM_WAITING)

    def copy_as_messages_to(self, other: "Backlog") -> None:
        """Enqueue each event of the journal in another database, as Dramatiq's broker does."""
        other.clear()
        broker = RedisBroker(url=other.url)  # type: ignore[no-untyped-call]
        broker.declare_queue(EVENTS)
        for lane in self._journal.waiting():
            entries: Any = self._client.xrange(keys.ENTRIES + lane.lane.name)
            for _, content in entries:
                args = ([json.loads(content[FORMAT.encode()])],)
                broker.enqueue(dramatiq.Message(EVENTS, PERSIST, args, kwargs={}, options={}))

    def clear(self) -> None:
        """Delete everything in this database."""
        self._client.flushdb()
