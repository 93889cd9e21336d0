"""Every error that a person can see, as a page that says what to do next."""

import logging

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from models.cursors import UnreadableCursor
from models.database import UNAVAILABLE

logger = logging.getLogger("brazebee.dashboard")

STALE = "This page was open for too long. Go back, reload it, and try again."

_PAGES = {
    400: ("That did not work", "The request was not understood. Go back and try again."),
    401: ("Please sign in", "You are not signed in any more."),
    403: ("Not for your role", "Your role does not include this. Ask an administrator."),
    404: ("Not found", "There is no such page, or you have no access to it."),
    405: ("That did not work", "This address cannot be used in that way."),
    413: ("Too large", "What was sent is larger than this page takes."),
    429: ("Too many requests", "Wait a moment, then try again."),
    500: ("Something went wrong", "It was logged. Try again; if it stays, tell an administrator."),
    503: ("Not available", "The database does not answer. Try again in a moment."),
}


def answer_errors_as_pages(app: Flask) -> None:
    """Give our own errors, the framework's and unforeseen ones a page."""

    @app.errorhandler(CSRFError)
    def stale(_error: CSRFError) -> ResponseReturnValue:
        return _page(400, STALE)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> ResponseReturnValue:
        said_by_us = isinstance(error, ServiceUnavailable)
        answer, status = _page(error.code or 500, error.description if said_by_us else None)
        headers = {n: v for n, v in error.get_headers() if n in ("Allow", "Retry-After")}
        return answer, status, headers

    @app.errorhandler(UnreadableCursor)
    def no_such_place(_error: UnreadableCursor) -> ResponseReturnValue:
        return _page(404)

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> ResponseReturnValue:
        if isinstance(error, UNAVAILABLE):
            logger.warning("PostgreSQL does not answer: %s", error)
            g.pop("visitor", None)  # nothing more can be asked of it
            return *_page(503), {"Retry-After": "5"}
        logger.error("unforeseen error at %s", request.path, exc_info=error)
        return _page(InternalServerError.code)


def _page(status: int, explanation: str | None = None) -> tuple[str, int]:
    title, usual = _PAGES.get(status, _PAGES[400] if status < 500 else _PAGES[500])
    page = render_template("error.html", title=title, explanation=explanation or usual)
    return page, status
