"""The errors that clients receive, as JSON in the documented form."""

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, InternalServerError

from ingress.client.answers import Answer, json_bytes
from ingress.client.rate_limit import Window
from ingress.errors import IngressError

logger = logging.getLogger("brazebee.ingress")

NOTHING: Mapping[str, Any] = MappingProxyType({})


class ApiError(IngressError):
    """Raised to answer a request with an error: `{"error": ..., "details": [...]}`.

    `window` is the state of the rate limit if the request was counted; `retry_after` is in seconds.
    """

    def __init__(
        self,
        status: int,
        error: str,
        details: Sequence[Mapping[str, Any]] = (),
        *,
        retry_after: int | None = None,
        window: Window | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.details = details
        self.retry_after = retry_after
        self.window = window

    def answer(self, window: Window | None = None, more: Mapping[str, Any] = NOTHING) -> Answer:
        """Return the answer, with the state of the rate limit if the error has none itself.

        `more` has members that clients of other products look for.
        """
        window = self.window or window
        body: dict[str, Any] = {"error": self.error}
        if self.details:
            body["details"] = list(self.details)
        body |= more
        headers = [] if window is None else window.headers()
        if self.retry_after is not None:
            headers.append(("Retry-After", str(self.retry_after)))
        if self.status == 401:
            headers.append(("WWW-Authenticate", "Bearer"))  # RFC 9110 requires it
        return Answer(json_bytes(body), self.status, headers)

    def response(self) -> Response:
        """Return the answer for Flask."""
        return self.answer().response()


class UnknownEvent(ApiError):
    """Raised when an event key is not configured."""

    def __init__(self, event_key: str) -> None:
        message = "Event must be configured in Event Settings before tracking"
        super().__init__(
            404,
            f"Event setting not found for key: {event_key}",
            [{"field": "event_key", "message": message}],
        )
        self.event_key = event_key


def unavailable(
    what: str, outcome: str = "nothing was accepted", *, window: Window | None = None
) -> ApiError:
    """Return a 503: the event may not be accepted, and the client should retry in a second."""
    return ApiError(
        503,
        "Service temporarily unavailable",
        [{"message": f"{what}; {outcome}, send it again"}],
        retry_after=1,
        window=window,
    )


def unexpected(error: Exception, *, window: Window | None = None) -> ApiError:
    """Return a 500 without internal details, and log the error."""
    logger.error("unexpected error", exc_info=error)
    return ApiError(500, _MESSAGES[InternalServerError.code], window=window)


def answer_errors_as_json(app: Flask) -> None:
    """Respond to API errors, Flask's errors and unexpected ones in the documented form."""

    @app.errorhandler(ApiError)
    def api_error(error: ApiError) -> Response:
        return error.response()

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        response = ApiError(error.code or 500, _MESSAGES.get(error.code, error.name)).response()
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def unexpected_error(error: Exception) -> Response:
        return unexpected(error).response()


_MESSAGES: dict[int | None, str] = {
    404: "Not found",
    405: "Method not allowed",
    413: "Request body too large",
    415: "Unsupported media type",
    500: "Internal server error",
}
