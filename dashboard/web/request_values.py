"""Values that requests carry: integers, cursors, the client's address; and what is rejected."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask, abort, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

LARGEST_UPLOAD = 5 * 1024 * 1024
"""Bytes of a file that is sent for an import."""

LARGEST_BODY = LARGEST_UPLOAD + 64 * 1024
"""Bytes of a file, and of the other fields of its form."""

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


def parse_query(text: str) -> "MultiDict[str, str]":
    """Return the parameters of a query string that a form or an address brings along.

    It is encoded once more than other values, so a NUL character in it is refused here.
    """
    pairs = parse_qsl(text, keep_blank_values=True)
    if any("\0" in part for pair in pairs for part in pair):
        abort(400)
    return MultiDict(pairs)


def accept_file(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a form have a file; as a URL value preprocessor, before anything reads the form."""
    request.max_content_length = LARGEST_BODY


ADDRESSES = ("HX-Current-URL", "Origin", "Referer")
"""Headers with an address, which we or a library take apart."""


def reject_unusable_requests(app: Flask) -> None:
    """Answer 400 to what no browser sends, and what would fail in different places otherwise.

    That is a NUL character in a URL or form, which PostgreSQL cannot store in a text, and a header
    with a malformed address. Without a valid host, there is no address of any page, so the answer
    is none of our pages.
    """

    @app.before_request
    def check() -> ResponseReturnValue | None:
        if isinstance(request.routing_exception, BadRequest):
            return request.routing_exception.get_response()
        pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
        texts = [request.path, *(text for pair in pairs for text in pair)]
        if any("\0" in text for text in texts):
            abort(400)
        if not all(_is_address(request.headers.get(name, "")) for name in ADDRESSES):
            abort(400)
        return None


def _is_address(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True
