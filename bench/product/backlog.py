"""What waits in Redis to be stored and evaluated, from outside the product."""

import json
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from bench.load.clients import Clients
from queues.dramatiq_layout import NAMESPACE, messages_key, queue_key
from queues.lanes.keys import JOURNAL
from queues.lanes.lane_queue import FORMAT, LaneQueue
from queues.messages import EVENTS, HEALTH, PERSIST

QUEUES = (EVENTS, HEALTH)

MAXIMUM_WAITING = 2_000
"""Events and messages. Clients pause above it, so that input and output are equally fast."""


class Backlog:
    """The lanes, and the messages of the straightforward implementation, in one database."""

    def __init__(self, url: str, database: int = 0) -> None:
        self.url = f"{url.partition('?')[0]}?db={database}"
        self._client = redis.Redis.from_url(self.url)
        self._lanes = (
            LaneQueue.of_events(self._client),
            LaneQueue.of_evaluations(self._client),
        )

    def _in_lanes(self) -> int:
        return sum(lane.entries for queue in self._lanes for lane in queue.waiting())

    def unfinished(self) -> int:
        """Return the number of events and messages that are waiting or being processed."""
        messages = (int(self._client.hlen(messages_key(NAMESPACE, queue))) for queue in QUEUES)
        return self._in_lanes() + sum(messages)

    def regulate(self, clients: Clients) -> None:
        """Pause clients while too much is waiting."""
        messages = (int(self._client.llen(queue_key(NAMESPACE, queue))) for queue in QUEUES)
        clients.set_paused(paused=self._in_lanes() + sum(messages) > MAXIMUM_WAITING)

    def copy_as_messages_to(self, other: "Backlog") -> None:
        """Enqueue each event of the journal in another database, as Dramatiq's broker does."""
        other.clear()
        broker = RedisBroker(url=other.url)  # type: ignore[no-untyped-call]
        broker.declare_queue(EVENTS)
        for lane in self._lanes[0].waiting():
            entries: Any = self._client.xrange(JOURNAL.entries + lane.lane.name)
            for _, content in entries:
                args = ([json.loads(content[FORMAT.encode()])],)
                broker.enqueue(dramatiq.Message(EVENTS, PERSIST, args, kwargs={}, options={}))

    def clear(self) -> None:
        """Delete everything in this database."""
        self._client.flushdb()
