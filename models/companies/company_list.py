"""Lists of companies with filters and orders, page by page, with counts by status.

A page is an index scan wherever the order has an index. With a filter, one scan of all companies
counts the matches. If they are few, it lists them too, and the page is made of them; if they are
many, an index scan soon finds enough of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson

from models.companies.companies import LINK_FIELDS
from models.companies.company_counts import count_and_list_few, count_by_status
from models.companies.company_filter import ALL_COMPANIES, CompanyFilter, filter_condition
from models.companies.filters.subjects import subject
from models.cursors import Cursor
from models.database import execute, query

FEW = 1_000
"""Matches with one status that are read by their ids."""


class Order(StrEnum):
    """The orders of a list. Within a status, companies are sorted by when they got it."""

    NAME = "name"
    STATUS = "status"
    SCORE = "score"
    SINCE = "since"
    LAST_EVENT = "last event"
    OWNER = "owner"
    VALUE = "value"
    RENEWAL = "renewal"
    FIELD = "field"


_RANK = "coalesce(array_position(%(statuses)s::text[], health_status), 0)"
_KEYS = {
    Order.NAME: {"searched": "text"},
    Order.STATUS: {_RANK: "bigint", "status_since": "timestamptz"},
    Order.SCORE: {"coalesce(score, -1)": "bigint"},
    Order.SINCE: {"status_since": "timestamptz"},
    Order.LAST_EVENT: {"coalesce(last_event_at, 'epoch')": "timestamptz"},
}
"""The sort keys of each order with their types; the row's id follows."""

_BEYOND = ("9e18::bigint", "-9e18::bigint")
_WITH_NOTHING_LAST = {
    Order.OWNER: ("lower(owner)", "chr(1114109)", "''", "text"),
    Order.VALUE: ("(value * 100)::bigint", *_BEYOND, "bigint"),
    Order.RENEWAL: ("(renews_on - date '1970-01-01')::bigint", *_BEYOND, "bigint"),
}
"""Orders by a column that may be empty: the key, what an empty one counts as in ascending and in
descending order, so that it comes last, and the type of the key."""


@dataclass(frozen=True)
class Sorting:
    """The order of a list. `statuses` are the statuses of the rules, from best to worst.

    `field` is the subject to sort by if `by` is `Order.FIELD`, see `filters.subjects`: numbers come
    before texts.
    """

    by: Order = Order.NAME
    descending: bool = False
    statuses: tuple[str, ...] = ()
    field: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the keys."""
        about = subject(self.field, "sort") if self.by is Order.FIELD else None
        return {"statuses": list(self.statuses), **(about.parameters if about else {})}


BY_NAME = Sorting()


def _keys_of(sorting: Sorting) -> dict[str, str]:
    if sorting.by is Order.FIELD:
        about = subject(sorting.field, "sort")
        if about is None:
            return _KEYS[Order.NAME]
        last = "-1e1000" if sorting.descending else "1e1001"
        number = f"coalesce({about.number}, case when {about.is_empty} then {last} else 1e1000 end)"
        text = f"case when {about.is_json_number} then '' else coalesce({about.folded}, '') end"
        return {number: "numeric", text: "text"}
    if sorting.by not in _WITH_NOTHING_LAST:
        return _KEYS[sorting.by]
    key, last, last_descending, kind = _WITH_NOTHING_LAST[sorting.by]
    return {f"coalesce({key}, {last_descending if sorting.descending else last})": kind}


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
    owner: str | None = None
    value: Decimal | None = None
    renews_on: date | None = None
    left_on: date | None = None
    raised: Sequence[Mapping[str, str]] = field(default=(), hash=False)
    """The raised flags, worst first, each with `flag` and `status`."""
    links: Mapping[str, str | None] = field(default_factory=dict, hash=False)
    """The values of `LINK_FIELDS`."""

    def field_text(self, name: str) -> str:
        """Return a field as a text, empty if the company has none; dots lead into others."""
        value = self.links.get(name, self.name if name == "name" else self.traits.get(name))
        if value is None and "." in name:
            value = self.traits
            for part in name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
        if value is None or isinstance(value, str):
            return (value or "").strip()
        return orjson.dumps(value).decode()


@dataclass(frozen=True)
class Page:
    """A page of companies, the total number of matches, and the cursor of the next page.

    `counts` are the matches by status, regardless of the status that the filter requires.
    """

    companies: list[ListedCompany]
    total: int
    next: str | None
    counts: dict[str, int]


_OWN = tuple(ListedCompany.__dataclass_fields__.keys() - {"raised", "links"})
_LINKS = ", ".join(f"c.{name}" for name in LINK_FIELDS)
_LISTED = (
    "c.id as row_id, c.external_id as id, c.name, c.health_status, c.score, c.previous_status,"
    " c.status_since as since, c.last_event_at, c.traits, c.owner, c.value, c.renews_on, c.left_on,"
    f" c.raised, {_LINKS}"
)


def read_page(
    organization_id: int,
    company_filter: CompanyFilter = ALL_COMPANIES,
    sorting: Sorting = BY_NAME,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """Return the companies after a cursor, the first ones if it is None.

    Raises:
        UnreadableCursor: `after` is not a cursor of the same order.
    """
    keys = _keys_of(sorting)
    cursor = Cursor(
        f"{sorting.by} {sorting.field} {sorting.descending}", (*keys.values(), "bigint")
    )
    parameters = cursor.read(after)
    only = company_filter.status
    counts, few = _count(organization_id, company_filter)
    statuses = [status for status in counts if only in (None, status)]
    by_index = sorting.by in (Order.NAME, Order.STATUS, Order.SINCE) or (
        sorting.by is Order.SCORE and company_filter == ALL_COMPANIES
    )
    where, values = filter_condition(organization_id, company_filter, by_row=by_index)
    parameters |= {"limit": limit + 1, **values, **sorting.parameters}
    if all(status in few for status in statuses):
        where = "organization_id = %(organization_id)s and id = any(%(ids)s::bigint[])"
        parameters["ids"] = [row_id for status in statuses for row_id in few[status]]
        statement = _sort(sorting, cursor, after, where)
    elif sorting.by in (Order.STATUS, Order.SINCE):
        parameters |= _ranks(statuses, sorting)
        statement = _walk_statuses(sorting, after, where)
    else:
        statement = _sort(sorting, cursor, after, where, by_index=by_index)
    rows = query(statement, parameters) if statuses else []
    names = [*(f"key_{number}" for number in range(len(keys))), "row_id"]
    next_page = cursor.next_page(rows, limit, *names)
    total = sum(counts[status] for status in statuses)
    return Page([_listed(row) for row in rows[:limit]], total, next_page, counts)


def list_ids_in_order(
    organization_id: int, company_filter: CompanyFilter = ALL_COMPANIES, sorting: Sorting = BY_NAME
) -> list[int]:
    """Return the row ids of all companies that match a filter, in order.

    One statement finds all of them: for an export or a change of all, not for a page.
    """
    where, parameters = filter_condition(organization_id, company_filter)
    [row] = query(  # as one value: one row for each company takes far longer to read
        f"select array_agg(id order by {order_of(sorting)}) as ids from companies where {where}",
        parameters | sorting.parameters,
    )
    return row["ids"] or []


def order_of(sorting: Sorting) -> str:
    """Return the SQL of an order, by which companies are sorted."""
    return _ordered([*_keys_of(sorting), "id"], sorting)


def read(
    organization_id: int, ids: Sequence[int], company_filter: CompanyFilter = ALL_COMPANIES
) -> list[ListedCompany]:
    """Return companies in this order, as they are now, except ones that no longer match."""
    where, parameters = filter_condition(organization_id, company_filter, by_row=True)
    rows = query(
        f"select {_LISTED} from companies c where c.organization_id = %(organization_id)s and c.id"
        f" in (select id from companies where {where} and id = any(%(ids)s::bigint[]))"
        " order by array_position(%(ids)s::bigint[], c.id)",
        parameters | {"ids": list(ids)},
    )
    return [_listed(row) for row in rows]


def _listed(row: dict[str, Any]) -> ListedCompany:
    return ListedCompany(
        **{name: row[name] for name in _OWN},
        raised=row["raised"] or (),
        links={name: row[name] for name in LINK_FIELDS},
    )


def _count(
    organization_id: int, company_filter: CompanyFilter
) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Count the matches by status, whatever status the filter requires, and list few of one."""
    others = replace(company_filter, status=None)
    if others == ALL_COMPANIES:
        return count_by_status(organization_id), {}
    if others.text:
        # Each of several workers would look up the users for itself.
        execute("set local max_parallel_workers_per_gather = 0")
    return count_and_list_few(organization_id, others, few=FEW)


def _sort(
    sorting: Sorting, cursor: Cursor, after: str | None, where: str, *, by_index: bool = False
) -> str:
    """Return SQL for a page of the companies that meet a condition.

    `offset 0` prevents an index scan in the order: the planner would choose one in the hope of
    finding enough companies soon, though they may come last in that order.
    """
    keys = list(_keys_of(sorting))
    names = [f"key_{number}" for number in range(len(keys))]
    named = ", ".join(f"{key} as {name}" for key, name in zip(keys, names, strict=True))
    rows = f"select id, {named} from companies where {where}"
    if not by_index:
        rows += " offset 0"
    return f"""
        select {_LISTED}, {", ".join(names)} from (
            select id, {", ".join(names)} from ({rows}) matching
            where true{cursor.condition([*names, "id"], after, descending=sorting.descending)}
            order by {_ordered([*names, "id"], sorting)} limit %(limit)s
        ) page join companies c on c.organization_id = %(organization_id)s and c.id = page.id
        order by {_ordered([*names, "page.id"], sorting)}
    """


def _ranks(statuses: Sequence[str], sorting: Sorting) -> dict[str, Any]:
    """Return the parameters of `_walk_statuses`: statuses, and what sorts them, see `_RANK`."""
    ranks = {status: rank for rank, status in enumerate(sorting.statuses, 1)}
    return {"walked": list(statuses), "ranks": [ranks.get(status, 0) for status in statuses]}


def _walk_statuses(sorting: Sorting, after: str | None, where: str) -> str:
    """Return SQL for a page by status or since when: one index scan for each of few statuses."""
    bound = ""
    ranks = "true"
    if after is not None:
        beyond = "infinity" if sorting.descending else "-infinity"
        since, row_id = "%(cursor_0)s::timestamptz", "%(cursor_1)s::bigint"
        if sorting.by is Order.STATUS:
            row_id = "%(cursor_2)s::bigint"
            since = (
                "case when rank = %(cursor_0)s::bigint then %(cursor_1)s::timestamptz"
                f" else '{beyond}' end"
            )
            ranks = f"rank {'<=' if sorting.descending else '>='} %(cursor_0)s::bigint"
        comparison = "<" if sorting.descending else ">"
        bound = f" and (status_since, id) {comparison} ({since}, {row_id})"
    keys = ["rank", "status_since"] if sorting.by is Order.STATUS else ["status_since"]
    named = ", ".join(f"{key} as key_{number}" for number, key in enumerate(keys))
    return f"""
        select {_LISTED}, {named}
        from unnest(%(walked)s::text[], %(ranks)s::bigint[]) walked (walked_status, rank)
        cross join lateral (
            select * from companies
            where {where} and health_status = walked_status{bound}
            order by {_ordered(["status_since", "id"], sorting)} limit %(limit)s
        ) c where {ranks} order by {_ordered([*keys, "c.id"], sorting)} limit %(limit)s
    """


def _ordered(keys: list[str], sorting: Sorting) -> str:
    return ", ".join(f"{key}{' desc' if sorting.descending else ''}" for key in keys)
