"""The list of companies."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from actors.rulebooks import RuleBooks
from dashboard.access import Member, viewer
from models import companies
from models.database import read_one_snapshot, transaction

blueprint = Blueprint("companies", __name__, url_prefix="/o/<name:organization>")

PAGE = 50

_rulebooks = RuleBooks()


@blueprint.get("/companies")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """The companies in the order in which they were first seen."""
    after_id = request.args.get("after", 0, type=int)
    organization = member.organization
    with transaction():
        read_one_snapshot()
        found = companies.page(organization.id, after_id=after_id, limit=PAGE + 1)
        total = companies.count(organization.id)
        book = _rulebooks.book_if_readable(organization.id, organization.rules_version)
    return render_template(
        "companies/page.html",
        companies=found[:PAGE],
        total=total,
        next_after=found[PAGE - 1].id if len(found) > PAGE else None,
        after=after_id,
        statuses=book.statuses if book else (),
    )
