"""Lists of items in any order, page by page, with bounded counts.

Without other conditions, the items to do are read by one index scan for each of the few statuses,
if the list is sorted by them. Else those that match are read once and sorted.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from models.database import query
from models.health.work_items.item_filter import ItemFilter, Shown, item_condition
from models.health.work_items.item_order import Order, Sorting, cursor_of, keys_of

MOST_COUNTED = 10_000
"""Items that are counted; of more, a page says that there are more."""


@dataclass(frozen=True)
class ListedItem:
    """An item with its company; `company` is the client's own id.

    `owner_key` is the owner in lower case, `assignee` is the name of the person who was assigned.
    """

    id: int
    company: str
    company_name: str
    flag: str
    status: str
    snoozed: bool
    state: str
    raised_at: datetime
    opened_at: datetime
    worse_since: datetime | None
    worse_from: str | None
    touched_at: datetime | None
    assignee_id: int | None
    assignee: str | None
    assignee_email: str | None
    next_step: str | None
    due_on: date | None
    owner: str | None
    owner_key: str | None
    value: Decimal | None
    renews_on: date | None
    closed_at: datetime | None
    closed_because: str | None


@dataclass(frozen=True)
class ItemPage:
    """A page of items, and the cursor of the next one."""

    items: list[ListedItem]
    next: str | None


_COMPUTED = {
    "company": "c.external_id",
    "company_name": "c.name",
    "assignee": "p.name",
    "assignee_email": "p.email",
    "owner_key": "lower(i.owner)",
}
_LISTED = ", ".join(
    f"{_COMPUTED[name]} as {name}" if name in _COMPUTED else f"i.{name}"
    for name in ListedItem.__dataclass_fields__
)
_JOINED = (
    "join work_items i on i.organization_id = %(organization_id)s and i.id = page.id"
    " join companies c on c.organization_id = i.organization_id and c.id = i.company_id"
    " left join people p on p.id = i.assignee_id"
)


def read_page(
    organization_id: int,
    item_filter: ItemFilter,
    sorting: Sorting,
    *,
    after: str | None = None,
    limit: int = 50,
) -> ItemPage:
    """Return the items after a cursor.

    Raises:
        UnreadableCursor: `after` is not a cursor of the same order.
    """
    keys, cursor = keys_of(sorting), cursor_of(sorting)
    names = [key.name for key in keys]
    order = ", ".join(key.order for key in keys)
    where, parameters = item_condition(organization_id, item_filter)
    parameters |= cursor.read(after) | {"statuses": list(sorting.statuses), "limit": limit + 1}
    beyond = cursor.condition(names, after, descending=[key.descending for key in keys])
    is_all_to_do = item_filter == ItemFilter(
        today=item_filter.today, closed_since=item_filter.closed_since
    )
    if is_all_to_do and sorting.by is Order.STATUS:
        page = _walk(where, beyond, order)
    else:
        named = ", ".join(f"{key.sql} as {key.name}" for key in keys)
        page = (
            f"select * from (select {named} from work_items i where {where} offset 0) matching"
            f" where true{beyond} order by {order} limit %(limit)s"
        )
    rows = query(
        f"select {_LISTED}, {', '.join(f'page.{name}' for name in names if name != 'id')}"
        f" from ({page}) page {_JOINED} order by {', '.join(f'page.{key.order}' for key in keys)}",
        parameters,
    )
    next_page = cursor.next_page(rows, limit, *names)
    return ItemPage([_listed(row) for row in rows[:limit]], next_page)


def _walk(where: str, beyond: str, order: str) -> str:
    """Return SQL for a page by one index scan for each status that items have.

    The condition on the cursor is on rows that are sorted by it already, so each scan skips those
    before; that on the rank keeps statuses before the cursor from being scanned at all.
    """
    return f"""
        with recursive present as (
            (select i.status from work_items i where {where} order by i.status limit 1)
            union all
            select next.status from present p cross join lateral (
                select i.status from work_items i where {where} and i.status > p.status
                order by i.status limit 1) next
        )
        select found.* from present cross join lateral (
            select * from (select i.id, i.worth, r.rank from work_items i
                cross join (select coalesce(array_position(%(statuses)s::text[], present.status),
                    0)::bigint as rank) r
                where {where} and i.status = present.status) of_status
            where true{beyond}
            order by worth desc, id desc limit %(limit)s
        ) found order by {order} limit %(limit)s
    """


def count(organization_id: int, item_filter: ItemFilter, *, most: int = MOST_COUNTED) -> int:
    """Count items, at most one more than `most`."""
    where, parameters = item_condition(organization_id, item_filter)
    [row] = query(
        f"select count(*) as number from (select from work_items i where {where}"
        " limit %(most)s) counted",
        parameters | {"most": most + 1},
    )
    number: int = row["number"]
    return number


def read(organization_id: int, ids: Collection[int]) -> list[ListedItem]:
    """Return items in this order."""
    rows = query(
        f"select {_LISTED} from unnest(%(ids)s::bigint[]) with ordinality page (id, place)"
        f" {_JOINED} order by page.place",
        {"organization_id": organization_id, "ids": list(ids)},
    )
    return [_listed(row) for row in rows]


def list_for_company(organization_id: int, company_id: int) -> list[ListedItem]:
    """Return the items of a company that are not closed, the oldest first."""
    where, parameters = item_condition(
        organization_id, ItemFilter(shown=Shown.ALL, company_id=company_id)
    )
    rows = query(
        f"select {_LISTED} from (select i.id from work_items i where {where}) page {_JOINED}"
        " order by i.raised_at, i.id",
        parameters,
    )
    return [_listed(row) for row in rows]


def find_ids_of_companies(organization_id: int, company_ids: Collection[int]) -> list[int]:
    """Return the items of companies that are not closed, in the order of their ids."""
    rows = query(
        "select id from work_items where organization_id = %(organization_id)s"
        " and company_id = any(%(company_ids)s) and closed_at is null order by id",
        {"organization_id": organization_id, "company_ids": list(company_ids)},
    )
    return [row["id"] for row in rows]


def list_ids_in_order(
    organization_id: int, item_filter: ItemFilter, sorting: Sorting, *, most: int | None = None
) -> list[int]:
    """Return the ids of the items that match, in the order of the list: all, or the first ones.

    For an export or a change of all, not for a page.
    """
    where, parameters = item_condition(organization_id, item_filter)
    keys = keys_of(sorting)
    named = ", ".join(f"{key.sql} as {key.name}" for key in keys)
    order = ", ".join(key.order for key in keys)
    [row] = query(  # as one value: one row for each item takes far longer to read
        f"select array_agg(id order by {order}) as ids from (select {named} from work_items i"
        f" where {where} order by {order} limit %(most)s) listed",
        parameters | {"statuses": list(sorting.statuses), "most": most},
    )
    ids: list[int] = row["ids"] or []
    return ids


def _listed(row: dict[str, Any]) -> ListedItem:
    return ListedItem(**{name: row[name] for name in ListedItem.__dataclass_fields__})
