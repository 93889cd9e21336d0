"""Values that requests carry: integers, cursors, the client's address; and what is rejected."""

from flask import Flask, abort, request

MAX_INTEGER = 2**31 - 1
"""The largest value of PostgreSQL's `integer`."""

MAX_BIGINT = 2**63 - 1
"""The largest value of PostgreSQL's `bigint`."""


def database_integer(text: str) -> int:
    """Parse a number that fits into PostgreSQL's `integer` and is not negative.

    Raises:
        ValueError: the text is no such number.
    """
    return _number(text, MAX_INTEGER)


def database_bigint(text: str) -> int:
    """Parse a number that fits into PostgreSQL's `bigint` and is not negative.

    Raises:
        ValueError: the text is no such number.
    """
    return _number(text, MAX_BIGINT)


def _number(text: str, most: int) -> int:
    value = int(text)
    if not 0 <= value <= most:
        raise ValueError(text)
    return value


def page_cursor() -> str | None:
    """Return the cursor that an earlier page linked to; None for the first page."""
    return request.args.get("after") or None


def client_address() -> str:
    """Return the IP address that the request comes from, or `unknown`."""
    return request.remote_addr or "unknown"


def reject_nul_characters(app: Flask) -> None:
    """Answer 400 to a NUL character in a URL or form: PostgreSQL cannot store one in a text."""

    @app.before_request
    def check() -> None:
        values = [request.path, *request.args.values(), *request.form.values()]
        if any("\0" in value for value in values):
            abort(400)
