"""Whether the process lives, and whether it can take events."""

from collections.abc import Callable

from flask import Flask, Response

from ingress.client.answers import json_answer

PROBES = ("livez", "readyz")

Check = Callable[[], object]
"""Returns when a dependency answers, raises when it does not."""


def add_probes(app: Flask, *, redis: Check, postgres: Check) -> None:
    """Add `GET /livez`, which touches nothing, and `GET /readyz`."""

    @app.get("/livez", endpoint="livez")
    def livez() -> Response:
        return json_answer({"status": "alive"})

    @app.get("/readyz", endpoint="readyz")
    def readyz() -> Response:
        """Without Redis nothing can be taken; without PostgreSQL known keys still can."""
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
    except Exception:  # noqa: BLE001 -- whatever the reason, the dependency does not answer
        return "down"
    return "ok"
