"""Lists of items, the worst and most valuable first, page by page, with bounded counts.

Without other conditions, the items to do are read by one index scan for each of the few statuses.
With any, those that match are read once and sorted.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from models.cursors import Cursor
from models.database import query
from models.health.work_items.item_filter import ItemFilter, Shown, item_condition

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


_RANK = "coalesce(array_position(%(statuses)s::text[], i.status), 0)::bigint"
_BY_WORTH = Cursor("worklist", ("bigint", "bigint", "bigint"))
_BY_CLOSING = Cursor("closed items", ("timestamptz", "bigint"))

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
    statuses: Sequence[str],
    *,
    after: str | None = None,
    limit: int = 50,
) -> ItemPage:
    """Return the items after a cursor; `statuses` are those of the rules, from best to worst.

    Closed items are in the order in which they were closed, the latest first.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    is_closed = item_filter.shown is Shown.CLOSED
    cursor = _BY_CLOSING if is_closed else _BY_WORTH
    keys = ["closed_at", "id"] if is_closed else ["rank", "worth", "id"]
    where, parameters = item_condition(organization_id, item_filter)
    parameters |= cursor.read(after) | {"statuses": list(statuses), "limit": limit + 1}
    beyond = cursor.condition(keys, after, descending=True)
    order = ", ".join(f"{key} desc" for key in keys)
    if item_filter == ItemFilter(today=item_filter.today, closed_since=item_filter.closed_since):
        page = _walk(where, beyond, order)
    else:
        page = (
            f"select * from (select i.id, i.worth, i.closed_at, {_RANK} as rank"
            f" from work_items i where {where} offset 0) matching"
            f" where true{beyond} order by {order} limit %(limit)s"
        )
    rows = query(
        f"select {_LISTED}, page.rank, page.worth from ({page}) page {_JOINED}"
        f" order by {', '.join(f'page.{key} desc' for key in keys)}",
        parameters,
    )
    next_page = cursor.next_page(rows, limit, *keys)
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
            select * from (select i.id, i.worth, i.closed_at, r.rank from work_items i
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


def find_ids(
    organization_id: int, item_filter: ItemFilter, *, after_id: int, limit: int
) -> list[int]:
    """Return the next ids of all items that match, in the order of the ids."""
    where, parameters = item_condition(organization_id, item_filter)
    rows = query(
        f"select i.id from work_items i where {where} and i.id > %(after_id)s"
        " order by i.id limit %(limit)s",
        parameters | {"after_id": after_id, "limit": limit},
    )
    return [row["id"] for row in rows]


def find_ids_of_companies(organization_id: int, company_ids: Collection[int]) -> list[int]:
    """Return the items of companies that are not closed, in the order of their ids."""
    rows = query(
        "select id from work_items where organization_id = %(organization_id)s"
        " and company_id = any(%(company_ids)s) and closed_at is null order by id",
        {"organization_id": organization_id, "company_ids": list(company_ids)},
    )
    return [row["id"] for row in rows]


def list_ids_in_order(
    organization_id: int, item_filter: ItemFilter, statuses: Sequence[str]
) -> list[int]:
    """Return the ids of all items that match, in the order of the list: for an export."""
    where, parameters = item_condition(organization_id, item_filter)
    order = "i.closed_at desc, i.id desc"
    if item_filter.shown is not Shown.CLOSED:
        order = f"{_RANK} desc, i.worth desc, i.id desc"
    [row] = query(
        f"select array_agg(i.id order by {order}) as ids from work_items i where {where}",
        parameters | {"statuses": list(statuses)},
    )
    ids: list[int] = row["ids"] or []
    return ids


def _listed(row: dict[str, Any]) -> ListedItem:
    return ListedItem(**{name: row[name] for name in ListedItem.__dataclass_fields__})
