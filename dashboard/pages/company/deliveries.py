"""The webhook deliveries about a company."""

from urllib.parse import urlsplit

from flask import url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.frame import blueprint, find_company, show
from dashboard.web.request_values import page_cursor
from models.database import read_one_snapshot, transaction
from models.webhooks import delivery_log

PAGE = 50


@blueprint.get("/deliveries")
@viewer
def deliveries(member: Member, company_id: str) -> ResponseReturnValue:
    """Show the deliveries about a company, newest first."""
    with transaction():
        read_one_snapshot()
        company = find_company(member, company_id)
        logged, next_cursor = delivery_log.read_page_for_company(
            member.organization.id, company.id, after=page_cursor(), limit=PAGE
        )
    return show(
        "company/deliveries.html",
        company,
        rows="company/deliveries_rows.html",
        deliveries=[
            # The path of a URL is often a secret, and viewers see this page.
            (delivery, urlsplit(delivery.url).netloc)
            for delivery in logged
        ],
        next=url_for(".deliveries", after=next_cursor) if next_cursor else None,
        first=url_for(".deliveries") if page_cursor() else None,
    )
