"""URLs of pages that contain arbitrary names and ids of clients."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from flask import Flask, g, url_for
from werkzeug.routing import BaseConverter, IntegerConverter

from services.page_addresses import QUOTED, quote_once

_READABLE = "!$'()*,/:;?@"
"""Characters that need no escape in a query string; `url_for` leaves the same ones."""


class NameConverter(BaseConverter):
    """One path segment that may contain any text, such as `a/b`, `..` or `100%`."""

    part_isolating = True
    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        """Return the text that a segment encodes."""
        for quoted, plain in reversed(QUOTED):
            value = value.replace(quoted, plain)
        return value

    def to_url(self, value: Any) -> str:
        """Return the segment that encodes a text."""
        return super().to_url(quote_once(str(value)))


class IdConverter(IntegerConverter):
    """The number of a row; a longer one than PostgreSQL's `bigint` names no page."""

    regex = r"\d{1,18}"


def company_address(company: str, from_list: str = "") -> str:
    """Return the URL of a company's page, by the client's own id.

    `from_list` is the query string of the list that links to it, see `list_address`.
    """
    values: dict[str, Any] = {"from": from_list} if from_list else {}
    return url_for("company.page", company_id=company, **values)


def page_of_list(
    endpoint: str, parameters: Iterable[tuple[str, str]], after: str | None, rows: int | None
) -> str:
    """Return the URL of a page of a list; `after` is its cursor, and `rows` the size of pages.

    A list has up to a hundred links to itself: its own URL is built once for a request.
    """
    built: dict[str, str] = g.setdefault("addresses", {})
    if endpoint not in built:
        built[endpoint] = url_for(endpoint)
    page = (("after", after), ("rows", rows))
    query = urlencode([*parameters, *(given for given in page if given[1])], safe=_READABLE)
    return f"{built[endpoint]}?{query}" if query else built[endpoint]


def configure_addresses(app: Flask) -> None:
    """Register `<name:...>` and `<int:...>`, and let links within an organization omit its name."""
    app.url_map.converters |= {"name": NameConverter, "int": IdConverter}

    @app.url_defaults
    def add_organization(endpoint: str, values: dict[str, Any]) -> None:
        member = g.get("member")
        if (
            member is not None
            and "organization" not in values
            and app.url_map.is_endpoint_expecting(endpoint, "organization")
        ):
            values["organization"] = member.organization.name


def safe_redirect_target(address: str | None) -> str | None:
    """Return the address if it is a path of this site, else None.

    Anything that a browser could interpret as another host is rejected.
    """
    if not address or not address.startswith("/") or not address.isprintable():
        return None
    if address.startswith("//") or "\\" in address:
        return None
    return address
