"""Error pages, each with advice on what to do next."""

import logging

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    RequestEntityTooLarge,
    ServiceUnavailable,
)

from config.safe_logs import describe
from dashboard.web.request_values import LARGEST_UPLOAD
from models.cursors import UnreadableCursor
from models.database import UNAVAILABLE

logger = logging.getLogger("brazebee.dashboard")

EXPIRED = "This page was open for too long. Go back, reload it, and try again."

_PAGES = {
    400: ("Bad request", "The request was not understood. Go back and try again."),
    401: ("Please sign in", "You are no longer signed in."),
    403: ("Not allowed", "Your role does not include this. Ask an administrator."),
    404: ("Not found", "This page does not exist, or you do not have access to it."),
    405: ("Bad request", "This address does not accept that kind of request."),
    429: ("Too many requests", "Wait a moment, then try again."),
    500: (
        "Something went wrong",
        "The error was logged. Try again; if it persists, contact an administrator.",
    ),
    503: ("Not available", "The database is not responding. Try again in a moment."),
}


def register_error_pages(app: Flask) -> None:
    """Answer our own errors, the framework's and unexpected ones with a page."""

    @app.errorhandler(CSRFError)
    def expired_page(_error: CSRFError) -> ResponseReturnValue:
        return _page(400, EXPIRED)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> ResponseReturnValue:
        # Only descriptions of 503 are written for visitors; others are the framework's.
        explanation = error.description if isinstance(error, ServiceUnavailable) else None
        if isinstance(error, RequestEntityTooLarge):
            return _too_large(), 413
        page, status = _page(error.code or 500, explanation)
        headers = {n: v for n, v in error.get_headers() if n in ("Allow", "Retry-After")}
        return page, status, headers

    @app.errorhandler(UnreadableCursor)
    def unreadable_cursor(_error: UnreadableCursor) -> ResponseReturnValue:
        return _page(400)

    @app.errorhandler(Exception)
    def unexpected_error(error: Exception) -> ResponseReturnValue:
        if isinstance(error, UNAVAILABLE):
            logger.warning("PostgreSQL is not responding: %s", describe(error))
            g.pop("visitor", None)  # the layout must not query it again
            return *_page(503), {"Retry-After": "5"}
        logger.error("unexpected error at %s", request.path, exc_info=error)
        return _page(InternalServerError.code)


_SMALLEST = 1024**2 // 10
"""Bytes that make a difference in megabytes with one decimal."""


def _too_large() -> str:
    """Return a page on how large the request is and may be, and how else to send the same."""
    limit = request.max_content_length or 0
    size = max(request.content_length or 0, limit + _SMALLEST)
    back = None
    explanation = (
        f"You sent {_megabytes(size)}, and this form accepts up to {_megabytes(limit)}. Go back"
        " and shorten it."
    )
    if limit > LARGEST_UPLOAD:
        back = request.path
        parts = -(-size // (LARGEST_UPLOAD * 19 // 20))
        explanation = (
            f"Your file has {_megabytes(size)}, and a file may have {_megabytes(LARGEST_UPLOAD)}"
            f" here. Split it into {parts} files, each with the line of the column names as its"
            " first one, and import them one after another. Or load it at once with the command"
            " brazebee import."
        )
    return render_template("error.html", title="Too large", explanation=explanation, back=back)


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:,.1f}".removesuffix(".0") + " MB"


def _page(status: int, explanation: str | None = None) -> tuple[str, int]:
    title, usual = _PAGES.get(status, _PAGES[400] if status < 500 else _PAGES[500])
    page = render_template("error.html", title=title, explanation=explanation or usual, back=None)
    return page, status
