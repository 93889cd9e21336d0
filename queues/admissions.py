"""Lets requests in: counts each and queues what it brings, in one round trip to Redis."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from queues import messages
from queues.broker import QueueBroker

_SCRIPT = (Path(__file__).parent / "admit.lua").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Admission:
    """What became of a request: how many its window holds with it, and when that ends."""

    count: int
    ends_in_ms: int


class Admissions:
    """The queue of events, and a counter of requests beside it for each organization.

    There are no more counters than organizations, so Dramatiq's maintenance, which looks through
    every key of the database, is not slowed.
    """

    def __init__(self, broker: QueueBroker) -> None:
        self._admit = broker.client.register_script(_SCRIPT)
        self._queue = f"{broker.namespace}:{messages.EVENTS}"

    def admit(
        self,
        organization_id: int,
        events: Sequence[dict[str, Any]] = (),
        *,
        limit: int,
        window_seconds: int,
    ) -> Admission:
        """Count a request; where that is within the limit, queue its events as one message.

        Raises:
            RedisError: Redis does not answer, or is full. Then the events may be queued or not.
        """
        counter = f"brazebee:requests:{organization_id}:{limit}/{window_seconds}"
        message = messages.encode(messages.persist(events)) if events else ()
        count, ends_in_ms = self._admit(
            keys=[counter, self._queue, f"{self._queue}.msgs"],
            args=[limit, window_seconds * 1000, *message],
        )
        return Admission(count, ends_in_ms)
