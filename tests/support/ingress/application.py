"""An ingress without a server, tenants, and checks of responses."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis
from flask import Flask
from werkzeug.test import TestResponse

from ingress.door import Door
from models.database import transaction
from models.keys import api_keys, event_keys
from models.organizations import organizations
from queues.lanes.keys import JOURNAL
from queues.lanes.lane_queue import FORMAT

NOW = datetime(2024, 1, 20, 10, 30, 5, 123456, tzinfo=UTC)
NOWHERE = "postgresql://postgres@/postgres?host=/nowhere"
NO_REDIS = "unix:///nowhere/redis.sock?db=0"

EXAMPLE = {
    "event_key": "onboarding_complete",
    "company": {
        "id": "company_123",
        "name": "Acme Corporation",
        "payment_provider": "stripe",
        "payment_provider_id": "cus_abc123",
        "crm_provider": "salesforce",
        "crm_provider_id": "001500000ABCDEFGH",
        "industry": "Technology",
        "size": "50-100",
        "plan": "Enterprise",
    },
    "user": {
        "id": "user_456",
        "email": "john@acme.com",
        "name": "John Doe",
        "role": "Admin",
        "signup_date": "2024-01-15",
    },
    "data": {"step": 5, "completion_time_seconds": 120, "source": "web"},
    "timestamp": "2024-01-20T10:30:00Z",
}
SMALL = {"event_key": "onboarding_complete", "company": {"id": "company_123", "name": "Acme"}}
UNAVAILABLE = "Service temporarily unavailable"


@dataclass
class Clock:
    """A replacement for the module `time` in caches."""

    seconds: float = 1_000.0

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(frozen=True)
class EventSetting:
    key: str
    enabled: bool = True
    name: str = "An event"
    called: Sequence[str] = ()


@dataclass(frozen=True)
class Tenant:
    id: int
    key: str


@dataclass(frozen=True)
class Ingress:
    """An application, the events that it has queued, and requests to it."""

    app: Flask
    door: Door
    queue: redis.Redis

    def track(self, event: Any, key: str | None = None, **options: Any) -> TestResponse:
        return self.post("/v1/track", event, key, **options)

    def batch(self, events: Any, key: str | None = None, **options: Any) -> TestResponse:
        envelope = {"events": events} if isinstance(events, list) else events
        return self.post("/v1/track/batch", envelope, key, **options)

    def post(self, path: str, body: Any, key: str | None = None, **options: Any) -> TestResponse:
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        if key is not None:
            headers["x-api-key"] = key
        with self.app.test_client() as client:
            return client.post(path, data=body, headers=headers, **options)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> TestResponse:
        with self.app.test_client() as client:
            return client.get(path, headers=headers)

    def queued_events(self) -> list[dict[str, Any]]:
        """Return the events in the journal, each lane's in the order of acceptance."""
        found = []
        for lane in self.queue.zrange(JOURNAL.ready, 0, -1):
            for _, content in self.queue.xrange(JOURNAL.entries + lane.decode()):
                found.append((content[b"t"], json.loads(content[FORMAT.encode()])))
        return [event for _, event in sorted(found, key=lambda pair: pair[0])]


Serve = Callable[..., Ingress]


def tenant(
    name: str = "Tenant",
    *,
    rate_limit: str | None = None,
    events: Iterable[EventSetting] = (EventSetting("onboarding_complete"),),
) -> Tenant:
    """Create an organization with an API key and event settings."""
    with transaction():
        organization = organizations.create(name, rate_limit=rate_limit)
        event_keys.replace_all(organization.id, events)
        return Tenant(organization.id, api_keys.create(organization.id, name))


def configure(organization_id: int, *events: EventSetting) -> None:
    with transaction():
        event_keys.replace_all(organization_id, events)


def named(response: TestResponse, prefix: str) -> list[str]:
    """Return the names of the headers with this prefix."""
    return [name for name, _ in response.headers if name.lower().startswith(prefix.lower())]


def rate_limit_of(response: TestResponse) -> tuple[int, int, int]:
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    for name in names:
        assert response.headers.getlist(name) == [str(int(response.headers[name]))]
    limit, remaining, reset = (int(response.headers[name]) for name in names)
    assert 0 <= remaining <= limit
    assert time.time() - 1 < reset <= time.time() + 24 * 3600
    return limit, remaining, reset


def check(response: TestResponse, status: int, body: Any) -> None:
    """Check a response literally, and the headers that every response has."""
    assert (response.status_code, response.json) == (status, body)
    assert response.mimetype == "application/json"
    assert ("Retry-After" in response.headers) is (status in (429, 503))
    assert not named(response, "Access-Control")
    rate_limit_of(response)


def check_unavailable(response: TestResponse) -> None:
    message = response.get_json()["details"][0]["message"]
    check(response, 503, {"error": UNAVAILABLE, "details": [{"message": message}]})
    assert message.endswith(" accepted, send it again")
    assert response.headers["Retry-After"] == "1"


def error_of(response: TestResponse) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]


@contextmanager
def memory_used(client: redis.Redis, share: float) -> Iterator[None]:
    """Limit the memory of a Redis so that it uses about this share of it."""
    client.config_set("maxmemory", round(client.info("memory")["used_memory"] / share))
    try:
        yield
    finally:
        client.config_set("maxmemory", 0)
