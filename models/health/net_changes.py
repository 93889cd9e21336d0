"""What a stretch of time has changed: each company whose status differs from the one it had then.

A company that changed and returned is not in the list, whatever happened in between, and neither is
one that left. Only a company whose status changed last within the stretch can differ, and its
status then is the one that its first change of status in the stretch left. So the totals need an
index of the companies and one of the transitions; rows are read for the page alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from models.cursors import Cursor
from models.database import query
from models.folding import folded, folded_parameters

_CURSOR = Cursor("net changes", ("bigint", "numeric", "bigint"))


@dataclass(frozen=True)
class NetChange:
    """A company with its status then and now, and how many `times` it changed.

    `at`, `cause` and `changes` are those of its last change for the worse if it is worse now, and
    for the better if it is better, so that they explain the difference.
    """

    company: str
    name: str
    before: str
    after: str
    at: datetime
    times: int
    owner: str | None
    value: Decimal | None
    cause: str
    changes: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class ChangesFilter:
    """Which changes are listed; None is no condition.

    `owners` limits the list and its totals to their companies, regardless of case and accents. The
    others limit the list alone: to the worse or the better changes, or those between two statuses.
    """

    owners: Sequence[str] | None = None
    worse: bool | None = None
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class NetTotal:
    """How many companies went from one status to another, and the sum of their values, if any."""

    before: str
    after: str
    companies: int
    value: Decimal | None


@dataclass(frozen=True)
class NetChanges:
    """A page of changes, the totals of all of them, and the cursor of the next page."""

    changes: list[NetChange]
    totals: list[NetTotal]
    next: str | None


def read(
    organization_id: int,
    since: datetime,
    statuses: Sequence[str],
    chosen: ChangesFilter,
    *,
    after: str | None = None,
    limit: int,
) -> NetChanges:
    """Return the companies that changed after an instant: worse ones first, by status and value.

    `statuses` are those of the rules, best first.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    beyond = "true"
    if after is not None:
        beyond = (
            "(place, -worth, id) > (%(cursor_0)s::bigint, %(cursor_1)s::numeric,"
            " %(cursor_2)s::bigint)"
        )
    mine = ""
    if chosen.owners is not None:
        mine = f"and {folded('owner')} = any({folded_parameters('owners')})"
    rows = query(
        f"""
        with changed as (
            select id, health_status as after, value from companies
            where organization_id = %(organization_id)s and status_since > %(since)s
                and left_on is null {mine}
        ), first as (
            select distinct on (company_id) company_id, from_status as before from transitions
            where organization_id = %(organization_id)s and at > %(since)s
                and from_status <> to_status
            order by company_id, sequence
        ), net as materialized (
            select c.*, f.before, coalesce(c.value, 0) as worth,
                {_rank("f.before")} as rank_before, {_rank("c.after")} as rank_after
            from changed c join first f on f.company_id = c.id where f.before <> c.after
        ), placed as (
            select *, case when rank_after > rank_before then 0 else 1000 end - rank_after as place
            from net
        ), page as (
            select * from placed where {beyond} and {_step(chosen)}
            order by place, -worth, id limit %(limit)s
        )
        select 'total' as part, before, after, count(*) as companies, sum(value) as value,
            null as company, null as name, null::timestamptz as at, null::bigint as times,
            null as owner, null as cause, null::jsonb as changes,
            null::bigint as place, null::numeric as worth, null::bigint as id
        from net group by before, after
        union all select 'change', p.before, p.after, null, p.value, c.external_id, c.name, t.at,
            t.times, c.owner, t.cause, t.changes, p.place, p.worth, p.id
        from page p
        join companies c on c.organization_id = %(organization_id)s and c.id = p.id
        cross join lateral (
            select t.at, t.cause, t.changes, count(*) over () as times from transitions t
            where t.organization_id = %(organization_id)s and t.company_id = p.id
                and t.at > %(since)s and t.from_status <> t.to_status
            order by ({_rank("t.to_status")} > {_rank("t.from_status")})
                = (p.rank_after > p.rank_before) desc, t.sequence desc limit 1
        ) t
        order by part, place, worth desc, id
        """,
        {
            "organization_id": organization_id,
            "since": since,
            "statuses": list(statuses),
            **vars(chosen),
            "owners": list(chosen.owners or ()),
            "limit": limit + 1,
            **_CURSOR.read(after),
        },
    )
    listed = [row for row in rows if row["part"] == "change"]
    following = None
    if len(listed) > limit:
        last = listed[limit - 1]
        following = _CURSOR.write([last["place"], -last["worth"], last["id"]])
    return NetChanges(
        [NetChange(**{name: row[name] for name in _LISTED}) for row in listed[:limit]],
        [
            NetTotal(**{name: row[name] for name in _TOTAL})
            for row in rows
            if row["part"] == "total"
        ],
        following,
    )


def _step(chosen: ChangesFilter) -> str:
    """Return the SQL condition of the changes that are listed."""
    conditions = {
        "(rank_after > rank_before) = %(worse)s": chosen.worse,
        "before = %(before)s": chosen.before,
        "after = %(after)s": chosen.after,
    }
    return " and ".join(["true", *(sql for sql, value in conditions.items() if value is not None)])


def _rank(status: str) -> str:
    """Return SQL for the place of a status in the rules; 0 if it is not among them."""
    return f"coalesce(array_position(%(statuses)s::text[], {status}), 0)"


_LISTED = tuple(NetChange.__dataclass_fields__)
_TOTAL = tuple(NetTotal.__dataclass_fields__)
