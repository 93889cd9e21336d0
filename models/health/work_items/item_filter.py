"""Filters of the worklist: whose items, in which state, of which status, flag, owner and date."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from models.health.work_items.item_order import Order

CLOSED_FOR = timedelta(days=30)
"""How long closed items are listed."""


class Shown(StrEnum):
    """Which items a list has, by their state. All but `CLOSED` are of raised flags.

    Those of companies that left are among `ALL` only.
    """

    TO_DO = "to-do"
    OPEN = "open"
    SEEN = "seen"
    WORKING = "working"
    SNOOZED = "snoozed"
    DONE = "done"
    ALL = "all"
    CLOSED = "closed"

    @property
    def usual_order(self) -> Order:
        """What these items are usually sorted by, in descending order."""
        return Order.CLOSED if self is Shown.CLOSED else Order.STATUS

    @property
    def orders(self) -> tuple[Order, ...]:
        """What these items can be sorted by: closed ones have no date that they are due."""
        absent = Order.DUE if self is Shown.CLOSED else Order.CLOSED
        return tuple(order for order in Order if order is not absent)


class Due(StrEnum):
    """Which items a list has, by their date, compared with the reader's today."""

    LATE = "late"
    TODAY = "today"
    WEEK = "week"
    NONE = "none"


@dataclass(frozen=True)
class Assigned:
    """The items of one member: assigned to them, or to nobody where they are the owner.

    `owners` are the owners that the member is, in lower case.
    """

    person_id: int
    owners: tuple[str, ...]


@dataclass(frozen=True)
class Unassigned:
    """The items that nobody is assigned to, where no member is the owner; `owners` are theirs."""

    owners: tuple[str, ...]


@dataclass(frozen=True)
class ItemFilter:
    """The conditions that items must meet; None is no condition.

    `owner` is the whole owner of the company, regardless of case. `today` is that of the reader.
    `closed_since` is the earliest time of closed items.
    """

    shown: Shown = Shown.TO_DO
    whose: Assigned | Unassigned | None = None
    status: str | None = None
    flag: str | None = None
    owner: str | None = None
    due: Due | None = None
    today: date | None = None
    closed_since: datetime | None = None
    company_id: int | None = None


_STAYS = "i.closed_at is null and not i.company_left"
_SHOWN = {
    Shown.TO_DO: f"{_STAYS} and not i.snoozed and i.state <> 'done'",
    Shown.OPEN: f"{_STAYS} and not i.snoozed and i.state = 'open'",
    Shown.SEEN: f"{_STAYS} and not i.snoozed and i.state = 'seen'",
    Shown.WORKING: f"{_STAYS} and not i.snoozed and i.state = 'working'",
    Shown.SNOOZED: f"{_STAYS} and i.snoozed",
    Shown.DONE: f"{_STAYS} and i.state = 'done'",
    Shown.ALL: "i.closed_at is null",
    Shown.CLOSED: "i.closed_at >= %(closed_since)s",
}
_DUE = {
    Due.LATE: "i.due_on < %(today)s",
    Due.TODAY: "i.due_on = %(today)s",
    Due.WEEK: "i.due_on between %(today)s and %(today)s + 6",
    Due.NONE: "i.due_on is null",
}


def item_condition(organization_id: int, item_filter: ItemFilter) -> tuple[str, dict[str, Any]]:
    """Return an SQL condition on `work_items i` for a filter, and its parameters."""
    conditions = ["i.organization_id = %(organization_id)s", _SHOWN[item_filter.shown]]
    parameters: dict[str, Any] = {
        "organization_id": organization_id,
        "closed_since": item_filter.closed_since,
        "today": item_filter.today,
    }
    match item_filter.whose:
        case Assigned(person_id, owners):
            conditions.append(
                "(i.assignee_id = %(assignee_id)s"
                " or i.assignee_id is null and lower(i.owner) = any(%(owners)s::text[]))"
            )
            parameters |= {"assignee_id": person_id, "owners": list(owners)}
        case Unassigned(owners):
            conditions.append(
                "i.assignee_id is null"
                " and (i.owner is null or not lower(i.owner) = any(%(owners)s::text[]))"
            )
            parameters["owners"] = list(owners)
    for name, value in (("status", item_filter.status), ("flag", item_filter.flag)):
        if value is not None:
            conditions.append(f"i.{name} = %({name})s")
            parameters[name] = value
    if item_filter.owner is not None:
        conditions.append("lower(i.owner) = lower(%(owner)s)")
        parameters["owner"] = item_filter.owner
    if item_filter.due is not None:
        conditions.append(_DUE[item_filter.due])
    if item_filter.company_id is not None:
        conditions.append("i.company_id = %(company_id)s")
        parameters["company_id"] = item_filter.company_id
    return " and ".join(conditions), parameters
