"""One item: its details with its history, and changes of it."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, editor, viewer
from dashboard.pages.worklist.frame import address_of, blueprint, book_of, rows_of, shared_values
from dashboard.pages.worklist.query import WorklistQuery
from dashboard.web.addresses import safe_redirect_target
from dashboard.web.context import now
from models.database import transaction
from models.health.work_items import item_changes, item_list
from services.accounts.audit import Maker
from services.work_items import edits
from services.work_items.assignees import Assignees
from services.work_items.edits import Edit, Editor, EditRefused
from services.work_items.states import State


@blueprint.get("/worklist/items/<int:item_id>")
@viewer
def item(member: Member, item_id: int) -> ResponseReturnValue:
    """Show an item with its history: a part of the list for htmx, or a page."""
    with transaction():
        values = _values(member, item_id)
    back = safe_redirect_target(request.args.get("back")) or request.path
    if "HX-Request" in request.headers:
        return render_template("worklist/details.html", part="row", back=back, **values)
    return render_template("worklist/item.html", back=back, **values)


@blueprint.post("/worklist/items/<int:item_id>")
@editor
def change_item(member: Member, item_id: int) -> ResponseReturnValue:
    """Change what differs from what the form showed: what somebody else changed meanwhile stays."""
    organization_id = member.organization.id
    by = Editor(Maker.of(member.person), now())
    gone = False
    try:
        with transaction():
            assignees = Assignees(organization_id)
            for name, read in _READ.items():
                text = request.form.get(name, "").strip()
                if name in request.form and text != request.form.get(f"was_{name}", ""):
                    edit = read(text, assignees)
                    gone |= bool(edits.apply(organization_id, [item_id], edit, by).gone)
    except EditRefused as error:
        flash(str(error), "error")
    if gone:
        flash("The item was closed in the meantime, so it was not changed.", "error")
    if "HX-Request" not in request.headers:
        back = safe_redirect_target(request.form.get("back"))
        return redirect(back or address_of(WorklistQuery()), 303)
    with transaction():
        values = _values(member, item_id)
    return render_template(
        "worklist/changed.html",
        opened=True,
        back=safe_redirect_target(request.form.get("back")) or url_for(".page"),
        part=request.form.get("part", "row"),
        **values,
    )


def _values(member: Member, item_id: int) -> dict[str, Any]:
    """Return what the templates of an item show, in the current transaction."""
    found = item_list.read(member.organization.id, [item_id])
    if not found:
        abort(404)
    book, assignees = book_of(member), Assignees(member.organization.id)
    [row] = rows_of(member, found, assignees, book)
    return {
        "row": row,
        "changes": item_changes.list_for_item(member.organization.id, item_id),
        "at": now(),
        "phrase": book.threshold(row.item.flag, book.level_of(row.item.status)),
        **shared_values(member, book, assignees),
    }


def _state(text: str, _: Assignees) -> Edit:
    if text not in {*State}:
        raise EditRefused("Choose a state.")
    return edits.state_edit(State(text))


def assignee(text: str, assignees: Assignees) -> Edit:
    """Return the edit that assigns items to a member, by their id; empty leaves them to the owner.

    Raises:
        EditRefused: There is no such member.
    """
    if not text:
        return edits.assignee_edit(None, None)
    found = assignees.find(int(text)) if text.isdecimal() and len(text) < 19 else None
    if found is None:
        raise EditRefused("Choose a member.")
    return edits.assignee_edit(found.person_id, found.email)


def _next_step(text: str, _: Assignees) -> Edit:
    return edits.next_step_edit(text)


def _due(text: str, _: Assignees) -> Edit:
    try:
        return edits.due_edit(date.fromisoformat(text) if text else None)
    except ValueError:
        raise EditRefused("Enter a date, such as 2026-05-31.") from None


_READ: dict[str, Callable[[str, Assignees], Edit]] = {
    "state": _state,
    "assignee": assignee,
    "next_step": _next_step,
    "due": _due,
}
"""The fields of the form."""
