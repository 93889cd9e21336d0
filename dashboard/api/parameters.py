"""Parameters of the read API in queries and paths, and the errors for invalid ones."""

from collections.abc import Callable, Collection
from typing import Any

from flask import request

from ingress.client.errors import ApiError

DEFAULT_LIMIT, MAX_LIMIT = 50, 500
"""Items on a page: without the parameter `limit`, and at most."""


ID = "id"
"""The parameter in a path: the client's own id of what a request is about."""


def reject_nul_characters() -> None:
    """Reject a NUL character in the path or the query: PostgreSQL stores none in a text.

    Raises:
        ApiError: a parameter has one; it names each.
    """
    ids = (request.view_args or {}).values()
    given = [*((ID, value) for value in ids), *request.args.items(multi=True)]
    faulty = dict.fromkeys(name for name, value in given if "\0" in name or "\0" in value)
    if faulty:
        raise invalid_query(*(fault(name, "NUL characters are not allowed") for name in faulty))


def _none(_name: str) -> bool:
    return False


def check_parameters(allowed: Collection[str], is_filter: Callable[[str], bool] = _none) -> None:
    """Reject unknown and repeated parameters: a misspelt filter would silently change the answer.

    Names of filters are allowed as well, and may be repeated.

    Raises:
        ApiError: a parameter is unknown or repeated.
    """
    faults = []
    for name, values in request.args.lists():
        if name not in allowed and not is_filter(name):
            faults.append(fault(name, f"Unknown; expected {', '.join(allowed)}"))
        elif len(values) > 1 and not is_filter(name):
            faults.append(fault(name, "Given more than once"))
    if faults:
        raise invalid_query(*faults)


def page_limit() -> int:
    """Return the number of items requested.

    Raises:
        ApiError: `limit` is not a number in the range.
    """
    text = request.args.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_LIMIT):
        raise invalid_query(fault("limit", f"Expected a whole number from 1 to {MAX_LIMIT}"))
    return int(text)


def invalid_cursor() -> ApiError:
    """Return a 400 for a cursor that no answer contained."""
    return invalid_query(fault("after", "Expected `next` of an earlier answer to the same request"))


def fault(name: str, message: str) -> dict[str, Any]:
    """Return the description of an invalid parameter."""
    return {"path": [name], "message": message}


def invalid_query(*faults: dict[str, Any]) -> ApiError:
    """Return a 400 with every fault of the query."""
    return ApiError(400, "Invalid query", faults)
