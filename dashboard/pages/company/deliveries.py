"""What webhooks were told of a company."""

from urllib.parse import urlsplit

from flask import url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.frame import blueprint, find_company, show
from dashboard.web.request_values import place
from models.database import read_one_snapshot, transaction
from models.webhooks import delivery_log

PAGE = 50


@blueprint.get("/deliveries")
@viewer
def deliveries(member: Member, company: str) -> ResponseReturnValue:
    """The deliveries that tell of a company, newest first."""
    with transaction():
        read_one_snapshot()
        found = find_company(member, company)
        listed, following = delivery_log.of_company(found.id, after=place(), limit=PAGE)
    return show(
        "company/deliveries.html",
        found,
        rows="company/deliveries_rows.html",
        deliveries=[
            # The path of a URL is often a secret, and viewers see this page.
            (one, urlsplit(one.url).netloc)
            for one in listed
        ],
        next=url_for(".deliveries", after=following) if following else None,
        first=url_for(".deliveries") if place() else None,
    )
