"""Views of the list of companies that people save: for themselves, or shared by editors."""

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, Role, audit, viewer
from dashboard.pages.companies.page import address_of
from dashboard.pages.companies.query import Listing
from models.database import transaction
from models.people import saved_views
from models.people.saved_views import MOST, NameTaken, SavedView, TooManyViews

blueprint = Blueprint("saved_views", __name__, url_prefix="/o/<name:organization>/views")

LONGEST_NAME = 100
LONGEST_QUERY = 2_000


@blueprint.post("")
@viewer
def save(member: Member) -> ResponseReturnValue:
    """Keep the list at hand under a name; only editors share."""
    listing = Listing.from_query(request.form.get("query", ""))
    shared = bool(request.form.get("shared"))
    if shared and not member.may(Role.EDITOR):
        abort(403)
    name = _name()
    if not name or not listing.query or len(listing.query) > LONGEST_QUERY:
        return _refused(_why_not(name, listing), listing)
    organization_id, person_id = member.organization.id, member.person.id
    try:
        with transaction():
            saved_views.add(organization_id, person_id, name, listing.query, shared=shared)
            detail = {"query": listing.query, "shared": shared}
            audit.record(member, "View saved", name, detail)
    except NameTaken:
        return _refused(_taken(name), listing)
    except TooManyViews:
        return _refused(f"There are {MOST} views already; delete some first.", listing)
    flash(f"The view “{name}” was saved{' and shared' if shared else ''}.")
    return redirect(address_of(listing), 303)


@blueprint.post("/<int:view_id>/rename")
@viewer
def rename(member: Member, view_id: int) -> ResponseReturnValue:
    """Give a view another name."""
    name = _name()
    with transaction():
        view = _changeable(member, view_id)
    listing = Listing.from_query(view.query)
    if not name:
        return _refused(_why_not(name, listing), listing)
    try:
        with transaction():
            saved_views.rename(member.organization.id, view_id, name)
            audit.record(member, "View renamed", name, {"from": view.name, "shared": view.shared})
    except NameTaken:
        return _refused(_taken(name), listing)
    flash(f"The view is called “{name}” now.")
    return redirect(address_of(listing), 303)


@blueprint.post("/<int:view_id>/delete")
@viewer
def delete(member: Member, view_id: int) -> ResponseReturnValue:
    """Forget a view."""
    with transaction():
        view = _changeable(member, view_id)
        saved_views.delete(member.organization.id, view_id)
        detail = {"query": view.query, "shared": view.shared}
        audit.record(member, "View deleted", view.name, detail)
    flash(f"The view “{view.name}” was deleted.")
    return redirect(url_for("companies.page"), 303)


def _changeable(member: Member, view_id: int) -> SavedView:
    """A view that the member may change: their own, or a shared one for editors."""
    view = saved_views.find(member.organization.id, member.person.id, view_id)
    if view is None:
        abort(404)
    if view.shared and not member.may(Role.EDITOR):
        abort(403)
    return view


def _name() -> str:
    """The name that was entered; empty where it is none to use."""
    name = request.form.get("name", "").strip()
    return name if name.isprintable() and len(name) <= LONGEST_NAME else ""


def _why_not(name: str, listing: Listing) -> str:
    if not name:
        return f"Give the view a name of one line, at most {LONGEST_NAME} characters."
    if not listing.query:
        return "Search, filter or sort first: this is the list of all companies."
    return "These are too many filters for one view."


def _taken(name: str) -> str:
    return f"There is a view called “{name}” already; choose another name."


def _refused(why: str, listing: Listing) -> ResponseReturnValue:
    flash(why, "error")
    return redirect(address_of(listing), 303)
