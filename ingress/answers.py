"""Answers as JSON."""

from typing import Any

import orjson
from flask import Response


def json_answer(body: Any, status: int = 200) -> Response:
    """An answer with this body; several times as fast as Flask's own `jsonify`."""
    return Response(orjson.dumps(body), status, content_type="application/json")
