"""Entries that cannot be stored, in the journal of a running product."""

import time
from collections.abc import Mapping

import redis

from queues.lanes.keys import JOURNAL
from queues.lanes.lane import NOBODY, Lane


def poison(redis_url: str, organization_id: int | None, *entries: Mapping[str, bytes]) -> None:
    """Append entries with these fields to a partition of an organization, or of nobody.

    They are accepted now, unless they have the field `t`.
    """
    lane = NOBODY if organization_id is None else Lane(organization_id, 0)
    with redis.Redis.from_url(redis_url) as client:
        for fields in entries:
            accepted_at = fields.get("t", b"%d" % (time.time_ns() // 1_000))
            client.xadd(JOURNAL.entries + lane.name, {**fields, "t": accepted_at})  # type: ignore[dict-item]
        client.zadd(JOURNAL.ready, {lane.name: 0}, nx=True)
