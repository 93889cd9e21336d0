"""What views of the read API share: whom they answer, what they are asked, how they answer."""

from collections.abc import Collection
from typing import Any

from flask import Response, g, request

from ingress.client.answers import json_answer
from ingress.client.errors import ApiError
from models.organizations import organizations
from models.organizations.organizations import Organization
from services.health.as_json import plain

FIRST_LIMIT, LAST_LIMIT = 50, 500
"""How many things a page has where nothing is said, and at most."""


def organization_at_hand() -> Organization:
    """The organization whose key was sent.

    Raises:
        ApiError: it was removed since.
    """
    found = organizations.with_id(g.organization_id)
    if found is None:
        raise ApiError(401, "Invalid API key")
    return found


def answer(body: Any) -> Response:
    """A body as commands print it with `--json`."""
    return json_answer(plain(body))


def check_known(known: Collection[str], prefix: str | None = None) -> None:
    """See that nothing unknown is asked for, and nothing twice: a typing error changes answers.

    Raises:
        ApiError: something is.
    """
    faults = []
    for name, values in request.args.lists():
        if name not in known and not (prefix and name.startswith(prefix) and name != prefix):
            faults.append(fault(name, f"Unknown; expected {', '.join(known)}"))
        elif len(values) > 1 and name in known:
            faults.append(fault(name, "Given more than once"))
    if faults:
        raise invalid(*faults)


def asked_limit() -> int:
    """How many things are asked for.

    Raises:
        ApiError: not a number of the range.
    """
    text = request.args.get("limit")
    if text is None:
        return FIRST_LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LAST_LIMIT):
        raise invalid(fault("limit", f"Expected a whole number from 1 to {LAST_LIMIT}"))
    return int(text)


def unknown_place() -> ApiError:
    """400 for a cursor that no answer gave."""
    return invalid(fault("after", "Expected `next` of an earlier answer to the same request"))


def fault(name: str, message: str) -> dict[str, Any]:
    """What is wrong with a parameter of the query."""
    return {"path": [name], "message": message}


def invalid(*faults: dict[str, Any]) -> ApiError:
    """400 with everything that is wrong."""
    return ApiError(400, "Invalid query", faults)
