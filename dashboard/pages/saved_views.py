"""Saved views of the list of companies and of the worklist: personal, or shared by editors."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, request
from flask.typing import ResponseReturnValue

from dashboard.access import Member, Role, audit, viewer
from dashboard.pages.companies.page import address_of as companies_address
from dashboard.pages.companies.query import CompanyQuery
from dashboard.pages.worklist.frame import address_of as worklist_address
from dashboard.pages.worklist.query import WorklistQuery
from models.database import transaction
from models.people import saved_views
from models.people.saved_views import (
    MAX_VIEWS,
    NameTaken,
    SavedView,
    TooManyViews,
    ViewedList,
)
from rules.one_line import is_one_line

blueprint = Blueprint("saved_views", __name__, url_prefix="/o/<name:organization>/views")

LONGEST_NAME = 100
LONGEST_QUERY = 2_000

_UNFILTERED = {
    ViewedList.COMPANIES: "Search, filter or sort first: this is the full list of companies.",
    ViewedList.WORKLIST: "Filter or sort first: this is the list of what you have to do.",
}
"""What is wrong with a list that has no query string."""


@dataclass(frozen=True)
class OpenedList:
    """A list by its query string, which is the same for equal queries, with its address."""

    listed: ViewedList
    query_string: str
    address: str

    @classmethod
    def read(cls, listed: ViewedList, text: str) -> "OpenedList":
        """Read a query string; what cannot be understood is ignored."""
        if listed is ViewedList.WORKLIST:
            items = WorklistQuery.from_query(text)
            return cls(listed, items.query_string, worklist_address(items))
        companies = CompanyQuery.from_query(text)
        return cls(listed, companies.query_string, companies_address(companies))


@blueprint.post("")
@viewer
def save(member: Member) -> ResponseReturnValue:
    """Save the current list under a name. Only editors can share views."""
    opened = OpenedList.read(_listed(), request.form.get("query", ""))
    shared = bool(request.form.get("shared"))
    if shared and not member.may(Role.EDITOR):
        abort(403)
    name, query = _name(), opened.query_string
    if not name or not query or len(query) > LONGEST_QUERY:
        return _reject(_problem(name, opened), opened)
    organization_id, person_id = member.organization.id, member.person.id
    try:
        with transaction():
            saved_views.add(
                organization_id, person_id, name, query, shared=shared, listed=opened.listed
            )
            detail = {"list": opened.listed, "query": query, "shared": shared}
            audit.record(member, "View saved", name, detail)
    except NameTaken:
        return _reject(_name_taken(name), opened)
    except TooManyViews:
        return _reject(f"The limit of {MAX_VIEWS} views is reached. Delete some first.", opened)
    flash(f"The view “{name}” was saved{' and shared' if shared else ''}.")
    return redirect(opened.address, 303)


@blueprint.post("/<int:view_id>/rename")
@viewer
def rename(member: Member, view_id: int) -> ResponseReturnValue:
    """Rename a view."""
    name = _name()
    with transaction():
        view = _changeable(member, view_id)
    opened = OpenedList.read(view.listed, view.query)
    if not name:
        return _reject(_problem(name, opened), opened)
    try:
        with transaction():
            saved_views.rename(member.organization.id, view_id, name)
            audit.record(member, "View renamed", name, {"from": view.name, "shared": view.shared})
    except NameTaken:
        return _reject(_name_taken(name), opened)
    flash(f"The view was renamed to “{name}”.")
    return redirect(opened.address, 303)


@blueprint.post("/<int:view_id>/delete")
@viewer
def delete(member: Member, view_id: int) -> ResponseReturnValue:
    """Delete a view."""
    with transaction():
        view = _changeable(member, view_id)
        saved_views.delete(member.organization.id, view_id)
        detail = {"list": view.listed, "query": view.query, "shared": view.shared}
        audit.record(member, "View deleted", view.name, detail)
    flash(f"The view “{view.name}” was deleted.")
    return redirect(OpenedList.read(view.listed, "").address, 303)


def _listed() -> ViewedList:
    """Return the list that a form is about; the form of an earlier release did not name it."""
    try:
        return ViewedList(request.form.get("list", ViewedList.COMPANIES))
    except ValueError:
        abort(400)


def _changeable(member: Member, view_id: int) -> SavedView:
    """Return a view that the member may change: their own, or for editors a shared one."""
    view = saved_views.find(member.organization.id, member.person.id, view_id)
    if view is None:
        abort(404)
    if view.shared and not member.may(Role.EDITOR):
        abort(403)
    return view


def _name() -> str:
    """Return the entered name, or an empty string if it is not valid."""
    name = request.form.get("name", "").strip()
    return name if is_one_line(name) and len(name) <= LONGEST_NAME else ""


def _problem(name: str, opened: OpenedList) -> str:
    if not name:
        return f"Enter a name of one line with at most {LONGEST_NAME} characters."
    if not opened.query_string:
        return _UNFILTERED[opened.listed]
    return "A view cannot have this many filters."


def _name_taken(name: str) -> str:
    return f"A view named “{name}” already exists. Choose another name."


def _reject(message: str, opened: OpenedList) -> ResponseReturnValue:
    flash(message, "error")
    return redirect(opened.address, 303)
