"""Entries that cannot be stored, in the journal of a running product."""

from collections.abc import Mapping

import redis

from queues.lanes.keys import JOURNAL
from queues.lanes.lane import NOBODY, Lane


def poison(redis_url: str, organization_id: int | None, *entries: Mapping[str, bytes]) -> None:
    """Append entries with these fields to a partition of an organization, or of nobody."""
    lane = NOBODY if organization_id is None else Lane(organization_id, 0)
    with redis.Redis.from_url(redis_url) as client:
        for fields in entries:
            client.xadd(JOURNAL.entries + lane.name, {**fields, "t": b"1769000000000000"})  # type: ignore[dict-item]
        client.zadd(JOURNAL.ready, {lane.name: 0}, nx=True)
