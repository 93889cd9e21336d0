"""The users of a company."""

from flask import url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.frame import blueprint, find_company, show
from dashboard.web.request_values import page_cursor
from models.companies import users as company_users
from models.database import read_one_snapshot, transaction

PAGE = 50


@blueprint.get("/users")
@viewer
def users(member: Member, company_id: str) -> ResponseReturnValue:
    """Show the users of a company, most recently seen first."""
    with transaction():
        read_one_snapshot()
        company = find_company(member, company_id)
        listed, next_cursor = company_users.read_page(
            company.organization_id, company.id, after=page_cursor(), limit=PAGE
        )
        total = company_users.count(company.organization_id, company.id)
    return show(
        "company/users.html",
        company,
        rows="company/users_rows.html",
        users=listed,
        total=total,
        next=url_for(".users", after=next_cursor) if next_cursor else None,
        first=url_for(".users") if page_cursor() else None,
    )
