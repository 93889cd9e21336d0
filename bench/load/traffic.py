"""The traffic of customers: varied events of several organizations, the same for the same seed.

Few companies cause most of the traffic: the n-th busiest has a share of about 1/n.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

PLANS = ("free", "team", "business", "enterprise")
USERS = 3
"""Users of each company."""

EVENT_KEYS = (
    "login", "logout", "report_created", "report_shared", "report_exported", "dashboard_viewed",
    "dashboard_created", "search_performed", "filter_saved", "user_invited", "user_joined",
    "seat_added", "seat_removed", "integration_connected", "integration_failed", "api_called",
    "api_limit_reached", "webhook_configured", "file_uploaded", "file_downloaded", "comment_added",
    "comment_resolved", "task_created", "task_completed", "notification_opened", "invoice_viewed",
    "plan_changed", "support_ticket_opened", "support_ticket_closed", "feature_tour_completed",
)  # fmt: skip
FREQUENT = ("login", "dashboard_viewed", "search_performed", "report_created", "task_completed")

LATE = 0.3
"""The share of events with a timestamp, some seconds or minutes ago."""

CHANGED = 0.02
"""The share of events with a changed field of the company."""

FIRST_SEEN = 0.002
"""The share of events from new companies."""


@dataclass(frozen=True)
class Request:
    """A whole HTTP request, and the index of its organization among the keys."""

    organization: int
    data: bytes


@dataclass(frozen=True)
class Traffic:
    """Requests with the API keys of organizations; the first organization posts the most."""

    keys: tuple[str, ...]
    companies: int = 2_000
    batch: int = 0
    """Events in a request; 0 posts single events."""

    def requests(self, number: int, seed: int) -> list[Request]:
        """Return a number of requests, to be sent repeatedly."""
        chance = random.Random(seed)  # noqa: S311 -- nothing secret
        weights = [1 / (index + 1) for index in range(len(self.keys))]
        now = datetime.now(UTC)
        requests = []
        for organization in chance.choices(range(len(self.keys)), weights, k=number):
            if self.batch:
                events = [self._event(chance, now) for _ in range(self.batch)]
                path, body = "/v1/track/batch", orjson.dumps({"events": events})
            else:
                path, body = "/v1/track", orjson.dumps(self._event(chance, now))
            requests.append(Request(organization, post(path, self.keys[organization], body)))
        return requests

    def _event(self, chance: random.Random, now: datetime) -> dict[str, Any]:
        company = int(self.companies ** chance.random()) - 1
        user = f"u{company}-{chance.randrange(USERS)}"
        key = chance.choice(FREQUENT if chance.random() < 0.5 else EVENT_KEYS)
        event: dict[str, Any] = {
            "event_key": key,
            "company": _company(chance, company),
            "user": {"id": user, "email": f"{user}@example.com", "name": f"User {user}"},
            "data": {
                "source": chance.choice(("web", "ios", "android", "api")),
                "session_id": f"{chance.getrandbits(64):016x}",
                "duration_ms": chance.randrange(20_000),
                "path": f"/workspaces/{company}/{key.replace('_', '/')}/{chance.randrange(10**6)}",
                "client": {"version": f"4.{chance.randrange(30)}.1", "locale": "en-GB"},
                "tags": chance.choices(("beta", "trial", "mobile", "admin"), k=2),
                "note": "x" * chance.randrange(200),
            },
        }
        if chance.random() < LATE:
            at = now - timedelta(seconds=chance.expovariate(1 / 30))
            event["timestamp"] = at.isoformat()
        return event


def post(path: str, key: str, body: bytes) -> bytes:
    """Return the bytes of a request over a persistent connection."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _company(chance: random.Random, number: int) -> dict[str, Any]:
    """Return a company as `bench.product.history` stores it, except for occasional changes."""
    if chance.random() < FIRST_SEEN:
        number = 10**9 + chance.getrandbits(30)
    changed = chance.random() < CHANGED
    return {
        "id": f"c{number}",
        "name": f"Company {number}",
        "plan": PLANS[number % len(PLANS)],
        "seats": chance.randrange(1, 500) if changed else 5 + number % 90,
    }
