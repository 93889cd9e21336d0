"""Liveness and readiness probes of the dashboard process."""

from collections.abc import Callable

from flask import Flask
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from dashboard.access import public
from dashboard.web.context import app_context
from models.database import UNAVAILABLE, query, transaction


def register_probes(app: Flask) -> None:
    """Add `GET /livez`, which uses no server, and `GET /readyz`."""

    @app.get("/livez", endpoint="livez")
    @public
    def livez() -> ResponseReturnValue:
        return {"status": "alive"}

    @app.get("/readyz", endpoint="readyz")
    @public
    def readyz() -> ResponseReturnValue:
        """Without PostgreSQL there is no page; without Redis nobody can sign in."""
        redis = app_context().sign_in_attempts.client
        checks = {"postgres": _state(_query_postgres), "redis": _state(redis.ping)}
        if checks["postgres"] != "ok":
            return {"status": "not ready", "checks": checks}, 503
        return {"status": "ready" if checks["redis"] == "ok" else "degraded", "checks": checks}


def _query_postgres() -> None:
    with transaction():
        query("select 1")


def _state(check: Callable[[], object]) -> str:
    try:
        check()
    except (*UNAVAILABLE, RedisError):
        return "down"
    return "ok"
