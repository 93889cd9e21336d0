"""Events of one organization, sent to the journal and stored as a worker does."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from actors.persist import EventPersister
from models.database import query, transaction
from models.events import rejected_events
from models.events.rejected_events import RejectedEntry
from queues.admissions import AdmissionRequest, Admissions, RateWindow
from queues.broker import QueueBroker
from queues.lanes.keys import JOURNAL
from queues.lanes.lane import partition_of
from queues.lanes.lane_queue import Bundle, LaneQueue
from services.rules.rule_books import RuleBooks
from services.times import utc_now
from tests.support.evaluations import FEW_LOGINS
from tests.support.world import World

Locking = Callable[[str], Any]
"""Returns a context manager in which another transaction has locked a company's row."""

IN_ONE_LANE = [c for c in (f"c{n}" for n in range(99)) if partition_of(c) == 0][:5]


class Storing:
    """Sends events of one organization and stores them as a worker does."""

    def __init__(self, broker: QueueBroker) -> None:
        self.broker = broker
        self.journal = LaneQueue.of_events(broker.client)
        self.persister = EventPersister(broker, RuleBooks(), utc_now)
        self.admissions = Admissions(broker.client)
        self.organization_id = World.create(FEW_LOGINS).id
        self._number = 0

    def event(self, company: str, **changes: Any) -> dict[str, Any]:
        self._number += 1
        now = utc_now()
        return {
            "organization_id": self.organization_id,
            "key_id": None,
            "event_id": f"e{self._number}",
            "event_key": "login",
            "company": {"id": company, "name": "C"},
            "user": None,
            "data": None,
            "occurred_at": now,
            "received_at": now,
        } | changes

    def send(self, *events: dict[str, Any]) -> None:
        self.admissions.admit(
            AdmissionRequest(RateWindow(self.organization_id, 1_000, 3600), events)
        )

    def poison(self, fields: dict[str, bytes]) -> None:
        """Append an entry that no ingress of this release appends, to the lane `IN_ONE_LANE`."""
        client, lane = self.broker.client, f"{self.organization_id}:0"
        client.xadd(JOURNAL.entries + lane, fields)  # type: ignore[arg-type]
        client.zadd(JOURNAL.ready, {lane: 0}, nx=True)

    def take(self) -> Sequence[Bundle]:
        taken = self.journal.take()
        return taken if isinstance(taken, list) else []

    def store_ready(self) -> None:
        """Store every bundle that can be taken now."""
        while bundles := self.take():
            self.persister.store(bundles)

    def store_all(self) -> None:
        """Store every event."""
        deadline = time.monotonic() + 10
        while self.waiting:
            self.store_ready()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    @property
    def stored(self) -> list[str]:
        with transaction():
            rows = query("select event_id from events order by event_id")
        return [row["event_id"] for row in rows]

    @property
    def set_aside(self) -> list[RejectedEntry]:
        """The entries of this organization that were set aside, the oldest first."""
        with transaction():
            return rejected_events.lock(self.organization_id, {})

    @property
    def unreadable(self) -> list[tuple[str, bytes, str]]:
        with transaction():
            rows = query("select queue, content, reason from unreadable_messages order by id")
        return [(row["queue"], bytes(row["content"]), row["reason"]) for row in rows]

    @property
    def waiting(self) -> int:
        return self.admissions.waiting()
