"""The worklist itself, and its export as CSV."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.worklist.frame import (
    address_of,
    blueprint,
    book_of,
    rows_of,
    shared_values,
    today,
)
from dashboard.pages.worklist.query import DUE, SHOWN, WHOSE, WorklistQuery
from dashboard.presentation.csv_export import BYTE_ORDER_MARK, csv_lines
from dashboard.web import sort_order
from dashboard.web.context import now
from dashboard.web.page_size import CHOICES, page_size
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.health.work_items import item_list
from models.health.work_items.item_filter import ItemFilter
from models.health.work_items.item_list import MOST_COUNTED, ListedItem
from models.people import saved_views
from models.people.saved_views import ViewedList
from services.work_items import snoozes
from services.work_items.assignees import Assignees, Responsible

CSV_CHUNK = 500

COLUMNS = (
    "id", "company_id", "company_name", "flag", "status", "state", "snoozed", "raised_at",
    "worse_since", "assignee", "owner", "value", "renewal", "next_step", "due", "opened_at",
    "touched_at", "closed_at", "closed_because",
)  # fmt: skip


@blueprint.get("/worklist")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the items that match the query string, usually the worst and most valuable first."""
    sought = WorklistQuery.from_parameters(request.args)
    after, organization_id = request.args.get("after"), member.organization.id
    size = page_size()
    try:
        with transaction():
            read_one_snapshot()
            book, assignees = book_of(member), Assignees(organization_id)
            query = sought.sortable(book.team)

            def filter_of(asked: WorklistQuery) -> ItemFilter:
                return asked.filter(assignees, member.person.id, now(), today())

            found = item_list.read_page(
                organization_id,
                filter_of(query),
                query.sorting(book.statuses),
                after=after,
                limit=size,
            )
            counts = {
                whose: item_list.count(organization_id, filter_of(query.having(whose=whose)))
                for whose in WHOSE
            }
            rows = rows_of(member, found.items, assignees, book)
            views = saved_views.list_visible_to(
                organization_id, member.person.id, ViewedList.WORKLIST
            )
    except UnreadableCursor:
        return redirect(address_of(sought), 303)
    return render_template(
        "worklist/page.html",
        query=query,
        orders=query.offered_orders(book.team),
        unsorted=sort_order.column_of(sought.sort) if sought != query else None,
        views=views,
        current_view=next((v for v in views if WorklistQuery.from_query(v.query) == query), None),
        rows=rows,
        next=found.next,
        after=after,
        page_size=size,
        page_sizes=CHOICES,
        counts=counts,
        total=counts[query.whose],
        most_counted=MOST_COUNTED,
        form_id=uuid4(),
        snooze_days=snoozes.DAYS,
        whose=WHOSE,
        shown=SHOWN,
        due=DUE,
        flags=[flag.name for flag in book.flags],
        **shared_values(member, book, assignees),
    )


@blueprint.get("/worklist.csv")
@viewer
def export(member: Member) -> ResponseReturnValue:
    """Export all items that match the query as CSV, in the order of the list."""
    organization_id = member.organization.id
    query = WorklistQuery.from_parameters(request.args)
    with transaction():
        read_one_snapshot()
        book, assignees = book_of(member), Assignees(organization_id)
        item_filter = query.filter(assignees, member.person.id, now(), today())
        sorting = query.sortable(book.team).sorting(book.statuses)
        ids = item_list.list_ids_in_order(organization_id, item_filter, sorting)
    response = Response(_lines(organization_id, ids, assignees), mimetype="text/csv")
    name = f"worklist-{today():%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(organization_id: int, ids: Sequence[int], assignees: Assignees) -> Iterator[str]:
    """Write items in chunks, without keeping a connection while a slow client downloads."""
    yield BYTE_ORDER_MARK + csv_lines([COLUMNS])
    for first in range(0, len(ids), CSV_CHUNK):
        with transaction():
            items = item_list.read(organization_id, ids[first : first + CSV_CHUNK])
        yield csv_lines([_cells(item, assignees.responsible_for(item)) for item in items])


def _cells(item: ListedItem, responsible: Responsible | None) -> list[Any]:
    own = {column: getattr(item, column, None) for column in COLUMNS}
    values = own | {
        "company_id": item.company,
        "assignee": responsible and responsible.email,
        "renewal": item.renews_on,
        "due": item.due_on,
    }
    return [values[column] for column in COLUMNS]
