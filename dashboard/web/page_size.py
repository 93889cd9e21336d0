"""How many rows the long lists show on a page: what the reader chose last, kept in a cookie.

A page of 20 rows is painted in about half the time of one of 50: see Interactions in
`bench/README.md`.
"""

from datetime import timedelta

from flask import after_this_request, request
from werkzeug.wrappers import Response

CHOICES = (20, 50, 100)

_NAME = "rows"
"""Of the parameter that chooses, and of the cookie."""

_KEPT = timedelta(days=365)


def page_size() -> int:
    """Return the number of rows; `rows` in the address chooses it for the pages after it, too."""
    chosen = _choice(request.args.get(_NAME))
    if chosen is None:
        return _choice(request.cookies.get(_NAME)) or CHOICES[0]

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(
            _NAME,
            str(chosen),
            max_age=_KEPT,
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
        )
        return response

    return chosen


def _choice(text: str | None) -> int | None:
    return next((choice for choice in CHOICES if str(choice) == text), None)
