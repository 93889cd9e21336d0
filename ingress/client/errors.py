"""Every error that a client can see, as JSON in the form of the API's documentation."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, InternalServerError

from ingress.client.answers import json_answer
from ingress.client.rate_limit import Window

logger = logging.getLogger("brazebee.ingress")


class ApiError(Exception):
    """Raised to answer a request with an error: `{"error": ..., "details": [...]}`.

    `window` is that of the rate limit, if the request was counted.
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

    def response(self) -> Response:
        """The answer; `retry_after` is in seconds."""
        body: dict[str, Any] = {"error": self.error}
        if self.details:
            body["details"] = list(self.details)
        response = json_answer(body, self.status)
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        if self.window:
            response.headers.extend(self.window.headers())
        return response


class UnknownEvent(ApiError):
    """Raised for an event whose key is not configured."""

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
    """503: the event was not accepted for certain, and the client should send again in a second."""
    return ApiError(
        503,
        "Service temporarily unavailable",
        [{"message": f"{what}; {outcome}, send it again"}],
        retry_after=1,
        window=window,
    )


def unforeseen(error: Exception, *, window: Window | None = None) -> ApiError:
    """500, which tells nothing internal; the log has all of it."""
    logger.error("unforeseen error", exc_info=error)
    return ApiError(500, _SENTENCES[InternalServerError.code], window=window)


def answer_errors_as_json(app: Flask) -> None:
    """Give our own errors, the framework's and unforeseen ones the documented form."""

    @app.errorhandler(ApiError)
    def api_error(error: ApiError) -> Response:
        return error.response()

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        response = ApiError(error.code or 500, _SENTENCES.get(error.code, error.name)).response()
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def unforeseen_error(error: Exception) -> Response:
        return unforeseen(error).response()


_SENTENCES: dict[int | None, str] = {
    404: "Not found",
    405: "Method not allowed",
    413: "Request body too large",
    415: "Unsupported media type",
    500: "Internal server error",
}
