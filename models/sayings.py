"""What events that are stored together say of one company or one user.

Nearly always it is what the newest event before them said. Then the row is not read: the time of
its newest event moves, in the statement that locks it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import query_over


@dataclass(slots=True)
class Saying:
    """All of them about the row `id`: the fingerprint of what they say, None if they differ.

    `since` is the time of the oldest of them, `until` that of the newest.
    """

    id: int
    said: str | None
    since: datetime
    until: datetime


def sayings(said: Iterable[tuple[int, str, datetime]]) -> list[Saying]:
    """The sayings of events, each given as the id of a row, its fingerprint and its time."""
    of: dict[int, Saying] = {}
    for id_, what, at in said:
        one = of.get(id_)
        if one is None:
            of[id_] = Saying(id_, what, at, at)
            continue
        if what != one.said:
            one.said = None
        if at < one.since:
            one.since = at
        elif at > one.until:
            one.until = at
    return list(of.values())


def lock_heard(
    table: str, said: Collection[Saying], *, newest: str, since: str, read: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Lock the rows of a table that sayings are about, in the order of their ids.

    `again` of a row tells that its events say what the newest before them said, and none of them is
    older than the column `since`: then nothing else changes but the time of the newest, the column
    `newest`, which is written here. The columns `read` are as they were before.
    """
    told = ", ".join(("id", "again", *read))
    needed = ", ".join(f"t.{name}" for name in dict.fromkeys(("id", newest, *read)))
    return query_over(
        f", held as materialized (select {needed}, v.until,"
        f" coalesce(t.said = v.said and t.{since} <= v.since, false) as again"
        f" from {table} t join v using (id) order by t.id for no key update of t),"
        f" moved as (update {table} t set {newest} = h.until from held h"
        f" where t.id = h.id and h.again and h.{newest} < h.until)"
        f" select {told} from held",
        list(said),
        "id bigint, said uuid, since timestamptz, until timestamptz",
    )
