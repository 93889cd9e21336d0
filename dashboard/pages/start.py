"""Where somebody who is signed in begins."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, Visitor, signed_in, viewer
from dashboard.navigation import main_links

blueprint = Blueprint("start", __name__)


@blueprint.get("/")
@signed_in
def page(visitor: Visitor) -> ResponseReturnValue:
    """Go to the person's first organization."""
    if not visitor.memberships:
        return render_template("no_organization.html")
    first = visitor.memberships[0].organization.name
    return redirect(url_for("start.organization", organization=first), 303)


@blueprint.get("/o/<name:organization>/")
@viewer
def organization(_member: Member) -> ResponseReturnValue:
    """Go to an organization's first page."""
    return redirect(main_links()[0].address, 303)
