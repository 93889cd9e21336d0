"""The probes `/livez` and `/readyz`."""

from types import SimpleNamespace
from typing import Any

import pytest

from config.settings import Settings
from ingress.app import create_app
from ingress.track import Tracking
from tests.support.ingress.application import (
    NO_REDIS,
    NOWHERE,
    SMALL,
    Serve,
    named,
    rate_limit_of,
)
from tests.support.ingress.outages import Silent, answered_within, move_postgres


def test_livez_uses_no_dependency() -> None:
    def fail(*_args: Any) -> Any:
        raise AssertionError("used")

    unused: Any = SimpleNamespace(limiter=SimpleNamespace(count_address=fail, unknown=fail))
    app = create_app(Tracking(unused, fail), redis=fail, postgres=fail)
    with app.test_client() as client:
        response = client.get("/livez")
    assert (response.status_code, response.json) == (200, {"status": "alive"})
    assert not named(response, "X-RateLimit")


@pytest.mark.parametrize(
    ("redis_is", "postgres_is", "code", "status"),
    [
        ("ok", "ok", 200, "ready"),
        ("ok", "down", 200, "degraded"),
        ("down", "ok", 503, "not ready"),
        ("down", "down", 503, "not ready"),
    ],
)
def test_readyz_names_each_dependency_and_its_state(
    serve: Serve, settings: Settings, redis_is: str, postgres_is: str, code: int, status: str
) -> None:
    ingress = serve(queue_url=settings.redis_url if redis_is == "ok" else NO_REDIS)
    if postgres_is == "down":
        move_postgres(settings, NOWHERE)
    response = ingress.get("/readyz")
    answer = response.get_json()
    assert (response.status_code, answer["status"]) == (code, status)
    assert answer["checks"] == {"redis": redis_is, "postgres": postgres_is}
    assert ("accepted_events_survive" in answer) == (redis_is == "ok")
    assert response.headers.get("Retry-After") == ("1" if code == 503 else None)
    assert not named(response, "X-RateLimit")


@pytest.mark.parametrize(
    ("setting", "value", "survive"),
    [
        ("appendonly", "no", "nothing, not even a restart of Redis (appendonly no)"),
        ("maxmemory-policy", "allkeys-lru", "maxmemory-policy allkeys-lru removes them"),
    ],
)
def test_readyz_is_degraded_if_redis_may_lose_accepted_events(
    serve: Serve, settings: Settings, setting: str, value: str, survive: str
) -> None:
    ingress = serve()
    before = ingress.queue.config_get(setting)
    ingress.queue.config_set(setting, value)
    try:
        response = ingress.get("/readyz")
    finally:
        ingress.queue.config_set(setting, before[setting])
    answer = response.get_json()
    assert (response.status_code, answer["status"]) == (200, "degraded")
    assert survive in answer["accepted_events_survive"]


def test_readyz_answers_soon_when_its_dependencies_do_not(
    serve: Serve, settings: Settings, silent_redis: Silent, silent_postgres: Silent
) -> None:
    ingress = serve(queue_url=silent_redis.url)
    move_postgres(settings, silent_postgres.url)
    with answered_within(5):
        response = ingress.get("/readyz")
    assert response.get_json()["checks"] == {"redis": "down", "postgres": "down"}


def test_probes_do_not_count_against_the_limit_of_their_address(serve: Serve) -> None:
    ingress = serve(rate_limit="9/hour")
    for _ in range(3):
        assert ingress.get("/livez").status_code == 200
        assert ingress.get("/readyz").status_code == 200
    assert rate_limit_of(ingress.track(SMALL))[1] == 8
