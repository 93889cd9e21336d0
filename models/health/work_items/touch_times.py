"""How long it took until somebody did something about items, by whose they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.cursors import Cursor
from models.database import json, query


@dataclass(frozen=True)
class TouchTimes:
    """The items that were opened in a time: how many, how many were touched, and how soon.

    `person_id` is whose they are; if it is None, `owner` is an owner that is no member, in lower
    case, or None. `median` is of the touched items; None if there is none.
    """

    person_id: int | None
    owner: str | None
    opened: int
    touched: int
    median: timedelta | None


@dataclass(frozen=True)
class ItemsOf:
    """Whose items to list, as `TouchTimes` has it, and whether only touched or untouched ones."""

    person_id: int | None
    owner: str | None
    touched: bool | None = None


@dataclass(frozen=True)
class TimedItem:
    """An item with when it was opened, first touched, and closed; `company` is the client's id."""

    id: int
    company: str
    company_name: str
    flag: str
    opened_at: datetime
    touched_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True)
class TimedItems:
    """A page of items, and the cursor of the next one."""

    items: list[TimedItem]
    next: str | None


_OF_ITEMS = """
    select i.id, i.company_id, i.flag, i.opened_at, i.touched_at, i.closed_at,
        coalesce(i.assignee_id, m.person_id) as person_id,
        case when i.assignee_id is null and m.person_id is null then lower(i.owner) end as owner
    from work_items i left join (
        select key, value::bigint as person_id from jsonb_each_text(%(owners)s)
    ) m on m.key = lower(i.owner)
    where i.organization_id = %(organization_id)s and i.opened_at >= %(since)s
"""
_LISTED = ", ".join(
    {"company": "c.external_id as company", "company_name": "c.name as company_name"}.get(
        name, f"i.{name}"
    )
    for name in TimedItem.__dataclass_fields__
)
_LATEST = Cursor("timed items", ("timestamptz", "bigint"))


def list_by_person(
    organization_id: int, owners: Mapping[str, int], since: datetime, *, limit: int
) -> list[TouchTimes]:
    """Return the times of items that were opened since an instant, the most items first.

    `owners` are the members by the owners, in lower case, that they are.
    """
    rows = query(
        f"""
        select person_id, owner, count(*) as opened, count(touched_at) as touched,
            percentile_cont(0.5) within group (order by touched_at - opened_at) as median
        from ({_OF_ITEMS}) of_items
        group by person_id, owner order by opened desc, person_id, owner limit %(limit)s
        """,
        {
            "organization_id": organization_id,
            "owners": json(dict(owners)),
            "since": since,
            "limit": limit,
        },
    )
    return [TouchTimes(**row) for row in rows]


def list_items(
    organization_id: int,
    owners: Mapping[str, int],
    since: datetime,
    chosen: ItemsOf,
    *,
    after: str | None = None,
    limit: int,
) -> TimedItems:
    """Return the items of one row of `list_by_person`, the latest first.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    beyond = _LATEST.condition(["i.opened_at", "i.id"], after, descending=True)
    rows = query(
        f"""
        select {_LISTED} from ({_OF_ITEMS}) i
        join companies c on c.organization_id = %(organization_id)s and c.id = i.company_id
        where i.person_id is not distinct from %(person_id)s::bigint
            and i.owner is not distinct from %(owner)s::text
            and (%(touched)s::boolean is null or %(touched)s = (i.touched_at is not null)){beyond}
        order by i.opened_at desc, i.id desc limit %(limit)s
        """,
        {
            "organization_id": organization_id,
            "owners": json(dict(owners)),
            "since": since,
            **vars(chosen),
            "limit": limit + 1,
            **_LATEST.read(after),
        },
    )
    following = _LATEST.next_page(rows, limit, "opened_at", "id")
    return TimedItems([TimedItem(**row) for row in rows[:limit]], following)
