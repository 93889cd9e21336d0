"""The way back from a company to the list that it was opened from.

Links in a list name its query string in the parameter `from`, which links between the pages of a
company keep. So the way back needs no session, and a link can be shared.
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Flask, has_request_context, request, url_for

FROM = "from"

LONGEST = 2_000
"""Characters of a query string that are kept."""

COMPANY_PAGES = "company."


def list_address() -> str:
    """Return the URL of the list that the current page was opened from, else of all companies."""
    address, query = url_for("companies.page"), request.args.get(FROM, "")[:LONGEST]
    kept = urlencode(parse_qsl(query, keep_blank_values=True))
    return f"{address}?{kept}" if kept else address


def keep_the_way_back(app: Flask) -> None:
    """Let links between the pages of a company keep the list that it was opened from."""

    @app.url_defaults
    def add_origin(endpoint: str, values: dict[str, Any]) -> None:
        if not endpoint.startswith(COMPANY_PAGES) or FROM in values or not has_request_context():
            return
        origin = request.args.get(FROM)
        if origin and request.endpoint and request.endpoint.startswith(COMPANY_PAGES):
            values[FROM] = origin[:LONGEST]
