"""The users of a company."""

from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.frame import blueprint, find_company, show
from dashboard.web.request_values import page_cursor
from models.companies import users as company_users
from models.database import read_one_snapshot, transaction
from rules.wording.names import is_visible

PAGE = 50

MOST_IN_A_LINE, LONGEST_IN_A_LINE = 3, 36
"""Fields whose values are shown without their names, and their letters altogether."""


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


@blueprint.app_template_filter("speak_for_themselves")
def speak_for_themselves(fields: Mapping[str, Any]) -> bool:
    """Return whether the values of fields are few, short, and words: `admin`, `Team Lead`."""
    return (
        0 < len(fields) <= MOST_IN_A_LINE
        and all(
            isinstance(value, str) and any(map(is_visible, value)) and not value[0].isdigit()
            for value in fields.values()
        )
        and sum(map(len, fields.values())) <= LONGEST_IN_A_LINE
    )
