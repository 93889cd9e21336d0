"""Probes: whether the process is alive and whether it can accept events."""

from collections.abc import Callable

from flask import Flask, Response

from ingress.client.answers import json_answer
from queues.durability import Durability

PROBES = ("livez", "readyz")

Check = Callable[[], object]
"""Returns if a dependency answers and raises if it does not."""

ReadDurability = Callable[[], Durability]
"""Returns what Redis promises for accepted events, and raises if Redis does not answer."""


def add_probes(app: Flask, *, redis: ReadDurability, postgres: Check) -> None:
    """Add `GET /livez`, which checks no dependency, and `GET /readyz`."""

    @app.get("/livez", endpoint="livez")
    def livez() -> Response:
        return json_answer({"status": "alive"})

    @app.get("/readyz", endpoint="readyz")
    def readyz() -> Response:
        """Without Redis no event is accepted; without PostgreSQL, those with a cached key are."""
        durability = _try(redis)
        checks = {"redis": _state(durability), "postgres": _state(_try(postgres))}
        body: dict[str, object] = {"status": "not ready", "checks": checks}
        if isinstance(durability, Durability):
            is_ready = checks["postgres"] == "ok" and not durability.is_weak
            body["status"] = "ready" if is_ready else "degraded"
            body["accepted_events_survive"] = durability.survives
        response = json_answer(body, 503 if body["status"] == "not ready" else 200)
        if response.status_code == 503:
            response.headers["Retry-After"] = "1"
        return response


def _try(check: Callable[[], object]) -> object:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 -- whatever the reason, the dependency is down
        return error


def _state(result: object) -> str:
    return "down" if isinstance(result, Exception) else "ok"
