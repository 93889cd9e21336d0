"""JSON answers."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from flask import Response

JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """What a handler answers, for Flask and for the event loop alike."""

    body: bytes
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)

    def response(self) -> Response:
        """Return it for Flask."""
        response = Response(self.body, self.status, content_type=JSON)
        response.headers.extend(self.headers)
        return response


def json_answer(body: Any, status: int = 200) -> Response:
    """Return a JSON response, several times as fast as Flask's `jsonify`."""
    return Response(json_bytes(body), status, content_type=JSON)


def json_bytes(body: Any) -> bytes:
    """Return a body as JSON, with times in UTC to the second: `2024-01-20T10:30:00Z`."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)
