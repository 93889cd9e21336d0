"""Who uses the product at a company."""

from flask import url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.frame import blueprint, find_company, show
from dashboard.web.request_values import place
from models.companies import users as company_users
from models.database import read_one_snapshot, transaction

PAGE = 50


@blueprint.get("/users")
@viewer
def users(member: Member, company: str) -> ResponseReturnValue:
    """The users of a company, the last seen first."""
    with transaction():
        read_one_snapshot()
        found = find_company(member, company)
        listed, following = company_users.page(found.id, after=place(), limit=PAGE)
        total = company_users.count(found.id)
    return show(
        "company/users.html",
        found,
        rows="company/users_rows.html",
        users=listed,
        total=total,
        next=url_for(".users", after=following) if following else None,
        first=url_for(".users") if place() else None,
    )
