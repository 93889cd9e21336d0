"""What webhooks were told of a company."""

from urllib.parse import urlsplit

from flask import url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.company.frame import address_if_known, blueprint, find_company, place, show
from models import delivery_log
from models.database import read_one_snapshot, transaction

PAGE = 50

TONES = {"delivered": "good", "waiting": "fair", "parked": "fair", "paused": "poor"}
"""The colours of the states of deliveries; any other is `bad`."""


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
            (one, urlsplit(one.url).netloc, address_if_known("developers.delivery", id=one.id))
            for one in listed
        ],
        tones=TONES,
        next=url_for(".deliveries", after=following) if following else None,
        first=url_for(".deliveries") if place() else None,
    )
