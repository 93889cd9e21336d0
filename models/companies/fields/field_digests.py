"""Digests of the field values that events carry about a company or a user.

Nearly every event repeats the values of the newest event before it. The row is not read then: the
statement that locks it also moves the time of its newest event.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.bulk import query_over_columns
from models.errors import ModelError


class RowGone(ModelError):
    """Raised when a company or user whose id was known has been deleted."""


@dataclass(slots=True)
class FieldDigest:
    """The digest of all events about the row `id`, None if their values differ.

    `since` is the time of the oldest of them, `until` that of the newest.
    """

    id: int
    digest: str | None
    since: datetime
    until: datetime


def combine_digests(events: Iterable[tuple[int, str | None, datetime]]) -> list[FieldDigest]:
    """Combine the digests of events by row, each a tuple of the row's id, digest and time.

    What repeats no event has None for a digest.
    """
    digests: dict[int, FieldDigest] = {}
    for row_id, digest, at in events:
        combined = digests.get(row_id)
        if combined is None:
            digests[row_id] = FieldDigest(row_id, digest, at, at)
            continue
        if digest != combined.digest:
            combined.digest = None
        if at < combined.since:
            combined.since = at
        elif at > combined.until:
            combined.until = at
    return list(digests.values())


@dataclass(frozen=True)
class DigestColumns:
    """A table, and its columns of the time of the newest event and since when its fields apply."""

    table: str
    newest: str
    since: str


def lock_and_touch(
    columns: DigestColumns,
    organization_id: int,
    digests: Sequence[FieldDigest],
    *,
    select: str,
    read: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Lock an organization's rows that events are about, in the order of their ids.

    A row is `repeated` if its events repeat the values of the newest event before them, and none of
    them is older than the column `since`: then only the time of the newest event changes, the
    column `newest`, which is written here. Returns what `select` selects of the rows: their `id`,
    `repeated`, `newest` and the columns `read` as they were before, and `since` and `until` of the
    digests.
    """
    table, newest, since = columns.table, columns.newest, columns.since
    more = "".join(f", t.{name}" for name in read)
    return query_over_columns(
        f", locked as materialized (select t.id, t.{newest} as newest, v.since, v.until,"
        f" coalesce(t.said = v.said and t.{since} <= v.since, false) as repeated{more}"
        f" from {table} t join v using (id) where t.organization_id = %(organization_id)s"
        " order by t.id for no key update of t),"
        f" touched as (update {table} t set {newest} = l.until from locked l"
        " where t.organization_id = %(organization_id)s and t.id = l.id"
        " and l.repeated and l.newest < l.until)"
        f" select {select} from locked",
        {
            "id bigint": [digest.id for digest in digests],
            "said uuid": [digest.digest for digest in digests],
            "since timestamptz": [digest.since for digest in digests],
            "until timestamptz": [digest.until for digest in digests],
        },
        organization_id=organization_id,
    )
