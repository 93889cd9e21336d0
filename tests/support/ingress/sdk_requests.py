"""Requests as the SDKs of other products send them, and what became of them."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from werkzeug.test import TestResponse

from queues.lanes.keys import JOURNAL
from queues.lanes.lane import UNRESOLVED, Lane
from queues.lanes.lane_queue import FORMAT
from queues.refused.requests import Refusal, RefusedRequests
from queues.refused.unknown_event_keys import UnknownKeys
from tests.support.ingress.application import NOW, EventSetting, Ingress, Tenant

AT = "2024-01-20T10:30:00.000Z"

EVENTS = (
    EventSetting("report_created", called=["Report Created"]),
    EventSetting("page_viewed", called=["Page Viewed", "$pageview"]),
    EventSetting("off", called=["Off"], enabled=False),
)


def basic(key: str) -> dict[str, str]:
    """Return the header with a key as the name of Basic authorization."""
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def call(kind: str, message_id: str, **parts: Any) -> dict[str, Any]:
    """Return a call as @segment/analytics-node writes it."""
    return {
        "timestamp": AT,
        "integrations": {},
        "type": kind,
        "userId": "u1",
        "context": {"library": {"name": "@segment/analytics-node", "version": "3.1.0"}},
        "messageId": message_id,
        "_metadata": {"nodeVersion": "v20.20.2", "jsRuntime": "node"},
        **parts,
    }


def track(message_id: str, **parts: Any) -> dict[str, Any]:
    """Return a `track` call of a company."""
    context = {"groupId": "acme"}
    return call("track", message_id, event="Report Created", context=context, **parts)


def send_batch(
    ingress: Ingress, key: str, calls: Sequence[Any], path: str = "/v1/batch", **more: Any
) -> TestResponse:
    """Send calls as the SDKs of Segment do."""
    body = {"batch": list(calls), "sentAt": AT, **more}
    return ingress.post(path, body, headers=basic(key))


def capture(event_id: str, name: str = "Report Created", **properties: Any) -> dict[str, Any]:
    """Return an event as posthog-node writes it."""
    return {
        "event": name,
        "properties": {"$groups": {"company": "acme"}, "$lib": "posthog-node", **properties},
        "timestamp": AT,
        "uuid": event_id,
        "distinct_id": "u1",
    }


def entry(owner: Tenant, **parts: Any) -> dict[str, Any]:
    """Return the contents of an entry of the journal."""
    return {
        "organization_id": owner.id,
        "event_id": None,
        "event_key": None,
        "company": None,
        "user": None,
        "data": None,
        "occurred_at": "2024-01-20T10:30:00+00:00",
        "received_at": NOW.isoformat(),
        **parts,
    }


def queued(ingress: Ingress) -> list[dict[str, Any]]:
    """Return the entries of the journal without their keys' ids, in the order of acceptance."""
    return [_without_key(event) for event in ingress.queued_events()]


def unresolved(ingress: Ingress, owner: Tenant) -> list[dict[str, Any]]:
    """Return the entries of the lane for what names no company."""
    lane = Lane(owner.id, UNRESOLVED)
    return [
        _without_key(json.loads(content[FORMAT.encode()]))
        for _, content in ingress.queue.xrange(JOURNAL.entries + lane.name)
    ]


def _without_key(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "key_id"}


def kept(ingress: Ingress, owner: Tenant) -> list[Refusal]:
    """Return the refusals that are kept for an organization, oldest first."""
    refused = RefusedRequests(ingress.queue).every(owner.id, NOW)
    return [request.refusal for request in refused][::-1]


def unknown_names(ingress: Ingress, owner: Tenant) -> dict[str, int]:
    """Return how often each name that is not configured was sent."""
    keys = UnknownKeys(ingress.queue).of_organization(owner.id, NOW)
    return {key.event_key: key.times for key in keys}
