"""What events that are stored together say of one company or one user.

Nearly always it is what the newest event before them said. Then the row is not read: the time of
its newest event moves, in the statement that locks it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.bulk import query_over_columns
from models.errors import ModelError


class RowGone(ModelError):
    """Raised when a company or user was deleted whose id was known."""


@dataclass(slots=True)
class FieldDigest:
    """All of them about the row `id`: the fingerprint of what they say, None if they differ.

    `since` is the time of the oldest of them, `until` that of the newest.
    """

    id: int
    said: str | None
    since: datetime
    until: datetime


def combine_digests(said: Iterable[tuple[int, str, datetime]]) -> list[FieldDigest]:
    """The sayings of events, each given as the id of a row, its fingerprint and its time."""
    of: dict[int, FieldDigest] = {}
    for id_, what, at in said:
        one = of.get(id_)
        if one is None:
            of[id_] = FieldDigest(id_, what, at, at)
            continue
        if what != one.said:
            one.said = None
        if at < one.since:
            one.since = at
        elif at > one.until:
            one.until = at
    return list(of.values())


def lock_and_touch(
    table: str,
    said: Sequence[FieldDigest],
    *,
    newest: str,
    since: str,
    tell: str,
    read: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Lock the rows of a table that sayings are about, in the order of their ids.

    `again` of a row tells that its events say what the newest before them said, and none of them is
    older than the column `since`: then nothing else changes but the time of the newest, the column
    `newest`, which is written here. Returned is what `tell` selects of the rows: their `id`,
    `again`, and as they were before `newest` and the columns `read`; `since` and `until` of the
    sayings.
    """
    columns = "".join(f", t.{name}" for name in read)
    return query_over_columns(
        f", held as materialized (select t.id, t.{newest} as newest, v.since, v.until,"
        f" coalesce(t.said = v.said and t.{since} <= v.since, false) as again{columns}"
        f" from {table} t join v using (id) order by t.id for no key update of t),"
        f" moved as (update {table} t set {newest} = h.until from held h"
        f" where t.id = h.id and h.again and h.newest < h.until)"
        f" select {tell} from held",
        {
            "id bigint": [one.id for one in said],
            "said uuid": [one.said for one in said],
            "since timestamptz": [one.since for one in said],
            "until timestamptz": [one.until for one in said],
        },
    )
