"""Finds an event in the journal by its id, without an index: the journal is usually empty."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
from redis import Redis

from queues.lanes.keys import JOURNAL
from queues.lanes.lane import Lane
from queues.lanes.lane_queue import FORMAT, LaneQueue

MOST_SEARCHED = 20_000
"""The most entries that are read: reading so many takes about a second."""

AT_ONCE = 500


class WaitingEvent(NamedTuple):
    """An entry of the journal; `message` is what the ingress wrote."""

    lane: Lane
    entry_id: str
    message: dict[str, Any]


class Search(NamedTuple):
    """The result of a search: the entry, if it was found, and whether all entries were read."""

    found: WaitingEvent | None
    complete: bool
    waiting: int


def find_waiting_event(client: Redis, organization_id: int, event_id: str) -> Search:
    """Search the journal of an organization for an event, the newest entries first.

    Raises:
        RedisError: Redis does not answer.
    """
    lanes = [
        waiting
        for waiting in LaneQueue.of_events(client).waiting()
        if waiting.lane.organization_id == organization_id
    ]
    number = sum(waiting.entries for waiting in lanes)
    quoted = orjson.dumps(event_id)
    left = MOST_SEARCHED
    for waiting in lanes:
        for entry_id, content in _newest_first(client, waiting.lane):
            if left == 0:
                return Search(None, complete=False, waiting=number)
            left -= 1
            message = _message(content) if quoted in content else None
            if message is not None and message.get("event_id") == event_id:
                found = WaitingEvent(waiting.lane, entry_id, message)
                return Search(found, complete=True, waiting=number)
    return Search(None, complete=True, waiting=number)


def _newest_first(client: Redis, lane: Lane) -> Iterator[tuple[str, bytes]]:
    newest = "+"
    while True:
        entries: Any = client.xrevrange(JOURNAL.entries + lane.name, newest, count=AT_ONCE)
        if not entries:
            return
        for entry_id, content in entries:
            yield entry_id.decode(), content.get(FORMAT.encode(), b"")
        newest = f"({entries[-1][0].decode()}"


def _message(content: bytes) -> dict[str, Any] | None:
    try:
        message = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return message if isinstance(message, dict) else None
