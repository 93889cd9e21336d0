"""Probes: whether the process is alive and whether it can accept events."""

from collections.abc import Callable

from flask import Flask, Response

from ingress.client.answers import json_answer

PROBES = ("livez", "readyz")

Check = Callable[[], object]
"""Returns if a dependency answers and raises if it does not."""


def add_probes(app: Flask, *, redis: Check, postgres: Check) -> None:
    """Add `GET /livez`, which checks no dependency, and `GET /readyz`."""

    @app.get("/livez", endpoint="livez")
    def livez() -> Response:
        return json_answer({"status": "alive"})

    @app.get("/readyz", endpoint="readyz")
    def readyz() -> Response:
        """Without Redis no event is accepted; without PostgreSQL, those with a cached key are."""
        checks = {"redis": _state(redis), "postgres": _state(postgres)}
        if checks["redis"] != "ok":
            status = "not ready"
        else:
            status = "ready" if checks["postgres"] == "ok" else "degraded"
        response = json_answer(
            {"status": status, "checks": checks}, 503 if status == "not ready" else 200
        )
        if response.status_code == 503:
            response.headers["Retry-After"] = "1"
        return response


def _state(check: Check) -> str:
    try:
        check()
    except Exception:  # noqa: BLE001 -- whatever the reason, the dependency is down
        return "down"
    return "ok"
