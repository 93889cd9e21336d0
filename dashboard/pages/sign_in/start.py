"""The start page of a person who is signed in."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Visitor, signed_in

blueprint = Blueprint("start", __name__)


@blueprint.get("/")
@signed_in
def page(visitor: Visitor) -> ResponseReturnValue:
    """Redirect to the person's first organization."""
    if not visitor.memberships:
        return render_template("no_organization.html")
    first = visitor.memberships[0].organization.name
    return redirect(url_for("today.page", organization=first), 303)
