"""A straightforward implementation with the same libraries, for comparison.

Each request uses Flask, marshmallow, `limits` and `send()`. Each event is a task and a transaction,
which counts the company's events in the window of each flag. It does less than the product: API
keys need no lookup, webhooks are left out, and no process watches for flags that become due.
"""

import json
import os
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import dramatiq
import limits
import psycopg2
from dramatiq.brokers.redis import RedisBroker
from flask import Flask, Response, jsonify, request
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from marshmallow import EXCLUDE, INCLUDE, Schema, ValidationError, fields

View = TypeVar("View", bound=Callable[..., Any])

FLAGS = (
    ("login", "30 days", 3, False),
    (None, "14 days", 1, False),
    ("report_created", "60 days", 2, False),
    ("api_limit_reached", "1 hour", 100, True),
    ("alarm", "1 day", 1, True),
)
"""Event key, window, number, and whether many are bad: the flags of `bench.product.history`."""

redis_url = os.environ["REDIS_URL"]
organizations: dict[str, int] = json.loads(os.environ["BENCH_KEYS"])
broker = RedisBroker(url=redis_url)  # type: ignore[no-untyped-call]
dramatiq.set_broker(broker)
app = Flask(__name__)
limiter = FixedWindowRateLimiter(RedisStorage(redis_url))
limit = limits.parse(os.environ["BRAZEBEE_RATE_LIMIT"])
local = threading.local()


class _Company(Schema):
    class Meta:
        unknown = INCLUDE

    id = fields.String(required=True)
    name = fields.String(required=True)


class _User(Schema):
    class Meta:
        unknown = INCLUDE

    id = fields.String(required=True)
    email = fields.Email()


class _Event(Schema):
    class Meta:
        unknown = EXCLUDE

    event_key = fields.String(required=True)
    company = fields.Nested(_Company, required=True)
    user = fields.Nested(_User)
    data = fields.Dict()
    timestamp = fields.String()


schema = _Event()


@app.post("/v1/track")
def track() -> tuple[Response, int]:
    """Accept an event."""
    organization_id = organizations.get(request.headers.get("x-api-key", ""))
    if organization_id is None:
        return jsonify({"error": "Invalid API key"}), 401
    if not limiter.hit(limit, str(organization_id)):
        return jsonify({"error": "Rate limit exceeded"}), 429
    remaining = limiter.get_window_stats(limit, str(organization_id)).remaining
    try:
        event = schema.load(request.get_json())
    except ValidationError as error:
        return jsonify({"error": "Invalid data", "details": error.messages}), 400
    event_id, now = str(uuid.uuid4()), datetime.now(UTC).isoformat()
    persist.send(organization_id, event_id, event, now)
    answer = jsonify({"success": True, "event_id": event_id})
    answer.headers["X-RateLimit-Remaining"] = str(remaining)
    return answer, 200


@dramatiq.actor(queue_name="events")
def persist(organization_id: int, event_id: str, event: dict[str, Any], now: str) -> None:
    """Store an event, and update its company's health."""
    if not hasattr(local, "connection"):
        local.connection = psycopg2.connect(
            os.environ["DATABASE_URL"], options="-c search_path=straightforward"
        )
    with local.connection as connection, connection.cursor() as cursor:
        _store(cursor, organization_id, event_id, event, now)


def _store(
    cursor: Any, organization_id: int, event_id: str, event: dict[str, Any], now: str
) -> None:
    company, user = event["company"], event["user"]
    custom = {name: value for name, value in company.items() if name not in ("id", "name")}
    cursor.execute(
        "insert into companies (organization_id, external_id, name, traits, first_seen_at,"
        " health_status) values (%s, %s, %s, %s, now(), 'Healthy')"
        " on conflict (organization_id, external_id) do update"
        " set name = excluded.name, traits = companies.traits || excluded.traits returning id",
        (organization_id, company["id"], company["name"], json.dumps(custom)),
    )
    [company_id] = cursor.fetchone()
    cursor.execute(
        "insert into users (organization_id, external_id, company_id, company_at, email, name,"
        " first_seen_at) values (%s, %s, %s, now(), %s, %s, now())"
        " on conflict (organization_id, external_id) do update set email = excluded.email,"
        " name = excluded.name, company_id = excluded.company_id returning id",
        (organization_id, user["id"], company_id, user["email"], user["name"]),
    )
    [user_id] = cursor.fetchone()
    cursor.execute(
        "insert into events values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        (organization_id, event_id, company_id, user_id, event["event_key"],
         event.get("timestamp", now), now, json.dumps(event["data"])),
    )  # fmt: skip
    cursor.execute(
        "update companies set health_status = %s where id = %s",
        ("At Risk" if _is_at_risk(cursor, company_id) else "Healthy", company_id),
    )


def _is_at_risk(cursor: Any, company_id: int) -> bool:
    at_risk = False
    for key, window, number, many_are_bad in FLAGS:
        cursor.execute(
            "select count(*) from events where company_id = %(company)s"
            " and (%(key)s::text is null or event_key = %(key)s)"
            " and occurred_at > now() - %(window)s::interval",
            {"company": company_id, "key": key, "window": window},
        )
        [events] = cursor.fetchone()
        at_risk |= (events >= number) is many_are_bad
    return at_risk
