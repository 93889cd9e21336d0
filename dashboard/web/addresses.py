"""How names and ids of clients stand in the addresses of pages."""

from typing import Any

from flask import Flask, g, url_for
from werkzeug.routing import BaseConverter


class NameConverter(BaseConverter):
    """One segment of a path that may hold any text, such as `a/b`, `..` or `100%`.

    A slash is quoted twice: servers undo one quoting before they look at the path, and browsers
    resolve dots even when quoted once.
    """

    part_isolating = True
    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        """The text that a segment stands for."""
        for quoted, plain in reversed(_QUOTED):
            value = value.replace(quoted, plain)
        return value

    def to_url(self, value: Any) -> str:
        """The segment that stands for a text."""
        text = str(value)
        for quoted, plain in _QUOTED:
            if plain != "." or not text.strip("."):
                text = text.replace(plain, quoted)
        return super().to_url(text)


def company_address(company: str) -> str:
    """The address of a company's page, by the client's own id."""
    return url_for("company.page", company=company)


_QUOTED = (("%25", "%"), ("%2F", "/"), ("%5C", "\\"), ("%2E", "."))
"""The percent sign first, so that what the others bring is not quoted again."""


def address_by_names(app: Flask) -> None:
    """Let addresses hold `<name:...>`, and links name the organization by themselves."""
    app.url_map.converters["name"] = NameConverter

    @app.url_defaults
    def stay_in_organization(endpoint: str, values: dict[str, Any]) -> None:
        member = g.get("member")
        if (
            member is not None
            and "organization" not in values
            and app.url_map.is_endpoint_expecting(endpoint, "organization")
        ):
            values["organization"] = member.organization.name


def safe_next(address: str | None) -> str | None:
    """Where to go on after signing in: a path of our own, or None.

    Whatever a browser could read as another host is refused.
    """
    if not address or not address.startswith("/") or not address.isprintable():
        return None
    if address.startswith("//") or "\\" in address:
        return None
    return address
