"""Lists of companies: how many stand where, and those that are looked for, page by page.

Without a filter a page is a walk along an index. With one, the companies that it finds are
gathered once, for their number and for the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from models.companies.company_counts import count_by_status
from models.companies.company_filter import ALL_COMPANIES, CompanyFilter, filter_condition
from models.cursors import Cursor
from models.database import query

EXPORT_CHUNK = 1_000
"""Companies in one part of an export."""


class Order(StrEnum):
    """What a list is sorted by; those of one status by since when they are at it."""

    NAME = "name"
    STATUS = "status"
    SCORE = "score"
    SINCE = "since"
    LAST_EVENT = "last event"


_RANK = "coalesce(array_position(%(statuses)s::text[], health_status), 0)"
_KEYS = {
    Order.NAME: {"searched": "text"},
    Order.STATUS: {_RANK: "bigint", "status_since": "timestamptz"},
    Order.SCORE: {"coalesce(score, -1)": "bigint"},
    Order.SINCE: {"status_since": "timestamptz"},
    Order.LAST_EVENT: {"coalesce(last_event_at, 'epoch')": "timestamptz"},
}
"""What each order compares, with its type; then comes the row's id."""


@dataclass(frozen=True)
class Sorting:
    """The order of a list. `statuses` are those of the rules, from best to worst."""

    by: Order = Order.NAME
    descending: bool = False
    statuses: tuple[str, ...] = ()


BY_NAME = Sorting()


@dataclass(frozen=True)
class ListedCompany:
    """A company as lists show it; `id` is the client's own."""

    id: str
    name: str
    health_status: str
    score: int | None
    previous_status: str | None
    since: datetime
    last_event_at: datetime | None
    traits: dict[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Page:
    """Some companies, how many there are in all, and what to ask for the next ones with.

    `counts` are how many the filter finds at each status but for the status that it wants.
    """

    companies: list[ListedCompany]
    total: int
    next: str | None
    counts: dict[str, int]


_LISTED = (
    "c.id as row_id, c.external_id as id, c.name, c.health_status, c.score, c.previous_status,"
    " c.status_since as since, c.last_event_at, c.traits"
)


def read_page(
    organization_id: int,
    wanted: CompanyFilter = ALL_COMPANIES,
    sorting: Sorting = BY_NAME,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """The companies that come after a place in a list, the first ones where it is None.

    Raises:
        UnreadableCursor: `after` is not what a page of the same order gave.
    """
    keys = _KEYS[sorting.by]
    cursor = Cursor(f"{sorting.by} {sorting.descending}", (*keys.values(), "bigint"))
    where, parameters = filter_condition(organization_id, wanted)
    parameters |= {"limit": limit + 1, "statuses": list(sorting.statuses), "only": wanted.status}
    parameters |= cursor.read(after)
    only_status = wanted == CompanyFilter(status=wanted.status)
    counts = None
    if only_status and sorting.by in (Order.STATUS, Order.SINCE):
        rows = query(_walk_statuses(sorting, after), parameters | {"status": wanted.status})
    elif only_status:
        rows = query(_first(sorting, cursor, after, where, wanted), parameters)
    else:
        # One look at all that the filter finds is for the page and for the numbers.
        where, _ = filter_condition(organization_id, replace(wanted, status=None))
        rows = query(_gather(sorting, cursor, after, where), parameters)
        counts = rows[0]["counts"]
    if counts is None:
        counts = count_by_status(organization_id)
    rows = [row for row in rows if row["row_id"] is not None]
    total = sum(counts.values()) if wanted.status is None else counts.get(wanted.status, 0)
    more = len(rows) > limit
    names = [*(f"key_{n}" for n in range(len(keys))), "row_id"]
    following = cursor.write([rows[limit - 1][name] for name in names]) if more else None
    return Page([_listed(row) for row in rows[:limit]], total, following, counts)


def list_ids_in_order(
    organization_id: int, wanted: CompanyFilter = ALL_COMPANIES, sorting: Sorting = BY_NAME
) -> Iterator[list[int]]:
    """The rows of all companies that a filter finds, in order, some at a time for `read`.

    All are found in one statement: for an export, not for a page.
    """
    where, parameters = filter_condition(organization_id, wanted)
    [found] = query(  # as one value: a row for each takes far longer to read
        f"select array_agg(id order by {_ordered([*_KEYS[sorting.by], 'id'], sorting)}) as ids"
        f" from companies where {where}",
        parameters | {"statuses": list(sorting.statuses)},
    )
    ids = found["ids"] or []
    return (ids[first : first + EXPORT_CHUNK] for first in range(0, len(ids), EXPORT_CHUNK))


def read(organization_id: int, ids: Sequence[int], wanted: CompanyFilter = ALL_COMPANIES) -> list[ListedCompany]:
    """These companies in this order, as they are now, but for those that a filter lost since."""
    where, parameters = filter_condition(organization_id, wanted)
    rows = query(
        f"select {_LISTED} from companies c where {where} and id = any(%(ids)s::bigint[])"
        " order by array_position(%(ids)s::bigint[], id)",
        parameters | {"ids": list(ids)},
    )
    return [_listed(row) for row in rows]


def _listed(row: dict[str, Any]) -> ListedCompany:
    return ListedCompany(**{name: row[name] for name in ListedCompany.__dataclass_fields__})


def _first(sorting: Sorting, cursor: Cursor, after: str | None, where: str, wanted: CompanyFilter) -> str:
    """SQL for a page of all companies or of those at a status, by an index where there is one.

    Where there is none, the rows are kept from any: the planner would walk one in the hope of
    finding enough of a status soon, though it may come last in that order.
    """
    keys = list(_KEYS[sorting.by])
    names = [f"key_{number}" for number in range(len(keys))]
    named = ", ".join(f"{key} as {name}" for key, name in zip(keys, names, strict=True))
    indexed = sorting.by is Order.NAME or (sorting.by is Order.SCORE and wanted == ALL_COMPANIES)
    rows = f"select id, {named} from companies where {where}"
    if not indexed:
        rows += " offset 0"
    return f"""
        select {_LISTED}, {", ".join(names)} from (
            select id, {", ".join(names)} from ({rows}) found
            where true{cursor.condition([*names, "id"], after, descending=sorting.descending)}
            order by {_ordered([*names, "id"], sorting)} limit %(limit)s
        ) page join companies c on c.id = page.id
        order by {_ordered([*names, "page.id"], sorting)}
    """


def _walk_statuses(sorting: Sorting, after: str | None) -> str:
    """SQL for a page by status or since when: a walk for each status, of which there are few."""
    bound = ""
    ranks = "true"
    if after is not None:
        beyond = "infinity" if sorting.descending else "-infinity"
        since, row_id = "%(cursor_0)s::timestamptz", "%(cursor_1)s::bigint"
        if sorting.by is Order.STATUS:
            row_id = "%(cursor_2)s::bigint"
            since = (
                "case when r.rank = %(cursor_0)s::bigint then %(cursor_1)s::timestamptz"
                f" else '{beyond}' end"
            )
            ranks = f"rank {'<=' if sorting.descending else '>='} %(cursor_0)s::bigint"
        comparison = "<" if sorting.descending else ">"
        bound = f" and (status_since, id) {comparison} ({since}, {row_id})"
    keys = ["rank", "status_since"] if sorting.by is Order.STATUS else ["status_since"]
    named = ", ".join(f"{key} as key_{number}" for number, key in enumerate(keys))
    return f"""
        with recursive present as (
            (select health_status as status from companies
             where organization_id = %(organization_id)s order by health_status limit 1)
            union all
            select next.* from present p cross join lateral (
                select health_status from companies
                where organization_id = %(organization_id)s and health_status > p.status
                order by health_status limit 1) next
        ), ranked as (
            select status, coalesce(array_position(%(statuses)s::text[], status), 0) as rank
            from present where %(status)s::text is null or status = %(status)s
        )
        select {_LISTED}, {named} from ranked r cross join lateral (
            select * from companies
            where organization_id = %(organization_id)s and health_status = r.status{bound}
            order by {_ordered(["status_since", "id"], sorting)} limit %(limit)s
        ) c where {ranks} order by {_ordered([*keys, "c.id"], sorting)} limit %(limit)s
    """


def _gather(sorting: Sorting, cursor: Cursor, after: str | None, where: str) -> str:
    """SQL for a page of what a filter finds, and the numbers by status; at least one row."""
    keys = _KEYS[sorting.by]
    names = [f"key_{number}" for number in range(len(keys))]
    named = ", ".join(f"{key} as {name}" for key, name in zip(keys, names, strict=True))
    beyond = cursor.condition([*names, "id"], after, descending=sorting.descending)
    return f"""
        with found as materialized (
            select id, health_status, {named} from companies where {where}
        ), page as (
            select * from found
            where (%(only)s::text is null or health_status = %(only)s){beyond}
            order by {_ordered([*names, "id"], sorting)} limit %(limit)s
        )
        select counted.counts, {_LISTED}, {", ".join(names)}
        from (select coalesce(json_object_agg(health_status, n), '{{}}') as counts from (
            select health_status, count(*) as n from found group by 1) by_status
        ) counted left join page on true
        left join companies c on c.id = page.id
        order by {_ordered([*names, "page.id"], sorting)}
    """


def _ordered(keys: list[str], sorting: Sorting) -> str:
    return ", ".join(f"{key}{' desc' if sorting.descending else ''}" for key in keys)
