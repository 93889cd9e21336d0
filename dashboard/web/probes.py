"""Whether the process lives, and whether it can show pages and let people in."""

from collections.abc import Callable

from flask import Flask
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from dashboard.access import everybody
from dashboard.web.context import parts
from models.database import UNAVAILABLE, query, transaction


def add_probes(app: Flask) -> None:
    """Add `GET /livez`, which touches nothing, and `GET /readyz`."""

    @app.get("/livez", endpoint="livez")
    @everybody
    def livez() -> ResponseReturnValue:
        return {"status": "alive"}

    @app.get("/readyz", endpoint="readyz")
    @everybody
    def readyz() -> ResponseReturnValue:
        """Without PostgreSQL there is no page; without Redis nobody can sign in."""
        checks = {"postgres": _state(_ask_postgres), "redis": _state(parts().attempts.client.ping)}
        if checks["postgres"] != "ok":
            return {"status": "not ready", "checks": checks}, 503
        return {"status": "ready" if checks["redis"] == "ok" else "degraded", "checks": checks}


def _ask_postgres() -> None:
    with transaction():
        query("select 1")


def _state(ask: Callable[[], object]) -> str:
    try:
        ask()
    except (*UNAVAILABLE, RedisError):
        return "down"
    return "ok"
