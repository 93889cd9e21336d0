"""Saved views of the list of companies: personal, or shared by editors."""

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, Role, audit, viewer
from dashboard.pages.companies.page import address_of
from dashboard.pages.companies.query import CompanyQuery
from models.database import transaction
from models.people import saved_views
from models.people.saved_views import MAX_VIEWS, NameTaken, SavedView, TooManyViews
from rules.one_line import is_one_line

blueprint = Blueprint("saved_views", __name__, url_prefix="/o/<name:organization>/views")

LONGEST_NAME = 100
LONGEST_QUERY = 2_000


@blueprint.post("")
@viewer
def save(member: Member) -> ResponseReturnValue:
    """Save the current list under a name. Only editors can share views."""
    query = CompanyQuery.from_query(request.form.get("query", ""))
    shared = bool(request.form.get("shared"))
    if shared and not member.may(Role.EDITOR):
        abort(403)
    name = _name()
    if not name or not query.query_string or len(query.query_string) > LONGEST_QUERY:
        return _reject(_problem(name, query), query)
    organization_id, person_id = member.organization.id, member.person.id
    try:
        with transaction():
            saved_views.add(organization_id, person_id, name, query.query_string, shared=shared)
            detail = {"query": query.query_string, "shared": shared}
            audit.record(member, "View saved", name, detail)
    except NameTaken:
        return _reject(_name_taken(name), query)
    except TooManyViews:
        return _reject(f"The limit of {MAX_VIEWS} views is reached. Delete some first.", query)
    flash(f"The view “{name}” was saved{' and shared' if shared else ''}.")
    return redirect(address_of(query), 303)


@blueprint.post("/<int:view_id>/rename")
@viewer
def rename(member: Member, view_id: int) -> ResponseReturnValue:
    """Rename a view."""
    name = _name()
    with transaction():
        view = _changeable(member, view_id)
    query = CompanyQuery.from_query(view.query)
    if not name:
        return _reject(_problem(name, query), query)
    try:
        with transaction():
            saved_views.rename(member.organization.id, view_id, name)
            audit.record(member, "View renamed", name, {"from": view.name, "shared": view.shared})
    except NameTaken:
        return _reject(_name_taken(name), query)
    flash(f"The view was renamed to “{name}”.")
    return redirect(address_of(query), 303)


@blueprint.post("/<int:view_id>/delete")
@viewer
def delete(member: Member, view_id: int) -> ResponseReturnValue:
    """Delete a view."""
    with transaction():
        view = _changeable(member, view_id)
        saved_views.delete(member.organization.id, view_id)
        detail = {"query": view.query, "shared": view.shared}
        audit.record(member, "View deleted", view.name, detail)
    flash(f"The view “{view.name}” was deleted.")
    return redirect(url_for("companies.page"), 303)


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


def _problem(name: str, query: CompanyQuery) -> str:
    if not name:
        return f"Enter a name of one line with at most {LONGEST_NAME} characters."
    if not query.query_string:
        return "Search, filter or sort first: this is the full list of companies."
    return "A view cannot have this many filters."


def _name_taken(name: str) -> str:
    return f"A view named “{name}” already exists. Choose another name."


def _reject(message: str, query: CompanyQuery) -> ResponseReturnValue:
    flash(message, "error")
    return redirect(address_of(query), 303)
