"""`GET /v1/work-items`."""

from typing import Any

from flask import Response, request

from dashboard.api.authentication import requesting_organization
from dashboard.api.parameters import (
    check_parameters,
    fault,
    invalid_cursor,
    invalid_query,
    page_limit,
)
from dashboard.web.context import now, rules_in_force
from dashboard.web.sort_order import column_of, is_descending
from ingress.client.answers import json_answer
from models.companies import companies
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.health.work_items import item_list
from models.health.work_items.item_filter import (
    CLOSED_FOR,
    Assigned,
    ItemFilter,
    Shown,
    Unassigned,
)
from models.health.work_items.item_list import ListedItem
from models.health.work_items.item_order import Order, Sorting
from services.health.as_json import json_value
from services.rules.rule_books import NO_RULES
from services.work_items.assignees import Assignees

CLOSED = "closed"

PARAMETERS = (
    "state", "assignee", "company", "status", "flag", "owner", "sort", "after", "limit",
)  # fmt: skip


def list_work_items() -> Response:
    """Answer with a page of work items.

    Unless another order is given, the worst and most valuable come first, or of closed ones those
    that were closed last.
    """
    check_parameters(PARAMETERS)
    limit = page_limit()
    with transaction():
        read_one_snapshot()
        organization = requesting_organization()
        assignees = Assignees(organization.id)
        book = rules_in_force(organization) or NO_RULES
        try:
            item_filter = _filter(organization.id, assignees)
            by, descending = _order(item_filter.shown)
            page = item_list.read_page(
                organization.id,
                item_filter,
                Sorting(by, descending, book.statuses),
                after=request.args.get("after"),
                limit=limit,
            )
        except UnreadableCursor:
            raise invalid_cursor() from None
    listed = [_item_json(item, assignees) for item in page.items]
    return json_answer(json_value({"work_items": listed, "next": page.next}))


def _filter(organization_id: int, assignees: Assignees) -> ItemFilter:
    """Return the filter of the request.

    Raises:
        ApiError: a value of a parameter is unknown.
    """
    state = request.args.get("state", Shown.TO_DO)
    if state not in list(Shown):
        raise invalid_query(fault("state", f"Expected one of {', '.join(Shown)}"))
    return ItemFilter(
        shown=Shown(state),
        whose=_whose(assignees),
        status=request.args.get("status"),
        flag=request.args.get("flag"),
        owner=request.args.get("owner"),
        closed_since=now() - CLOSED_FOR,
        company_id=_company_id(organization_id),
    )


def _order(shown: Shown) -> tuple[Order, bool]:
    """Return what the items are sorted by, and whether in descending order.

    Raises:
        ApiError: these items have no such order.
    """
    text = request.args.get("sort", f"-{shown.usual_order}")
    by = column_of(text)
    if by not in shown.orders:
        expected = ", ".join(shown.orders)
        raise invalid_query(
            fault("sort", f"Expected one of {expected}, from the greatest with - before")
        )
    return Order(by), is_descending(text)


def _whose(assignees: Assignees) -> Assigned | Unassigned | None:
    email = request.args.get("assignee")
    if email is None:
        return None
    if not email:
        return assignees.items_of_nobody()
    member = assignees.find_by_email(email)
    if member is None:
        raise invalid_query(fault("assignee", "No member has this email"))
    return assignees.items_of(member.person_id)


def _company_id(organization_id: int) -> int | None:
    external_id = request.args.get("company")
    if external_id is None:
        return None
    found = companies.find_ids(organization_id, [external_id])
    if external_id not in found:
        raise invalid_query(fault("company", "Nothing has named this company"))
    return found[external_id]


def _item_json(item: ListedItem, assignees: Assignees) -> dict[str, Any]:
    responsible = assignees.responsible_for(item)
    person = responsible and {"email": responsible.email, "name": responsible.name}
    return {
        "id": item.id,
        "company": {"id": item.company, "name": item.company_name},
        "flag": item.flag,
        "status": item.status,
        "state": CLOSED if item.closed_at else item.state,
        "snoozed": item.snoozed,
        "assignee": person,
        "is_assigned": item.assignee_id is not None,
        "next_step": item.next_step,
        "due_on": item.due_on and item.due_on.isoformat(),
        "raised_at": item.raised_at,
        "worse_since": item.worse_since,
        "touched_at": item.touched_at,
        "owner": item.owner,
        "value": None if item.value is None else float(item.value),
        "renewal": item.renews_on and item.renews_on.isoformat(),
        "closed_at": item.closed_at,
        "closed_because": item.closed_because,
    }
