"""Inputs for the endpoints of other products' SDKs, and of companies and users."""

import base64
import gzip
import json
from collections.abc import Callable
from random import Random
from typing import Any

from fuzz.exchange import request
from fuzz.hostile import damaged, encode, mutated, text, value
from fuzz.kinds import Kind
from fuzz.target import Target
from ingress.formats.routes import FORMS

NAMES = ("login", "Report Created", "Page Viewed", "$pageview", "value_action_complete")
TYPES = ("track", "identify", "group", "page", "screen", "alias")
TIMES = ("2024-01-20T10:30:00.000Z", "2024-01-20T10:30:00", "2099-01-01T00:00:00Z", "soon")

CLOUD_EVENTS = ("application/cloudevents+json", "application/cloudevents-batch+json")

Make = Callable[[Random], dict[str, Any]]


def calls(target: Target, chance: Random) -> bytes:
    """Return calls of an SDK, alone or in a batch, to any of the endpoints."""
    path = chance.choice([form.path for form in FORMS] + ["/v1/track"])
    make = chance.choice((_segment, _posthog, _cloud_event))
    given: Any = make(chance)
    if chance.random() < 0.7:
        given = {"batch": [make(chance) for _ in range(chance.randrange(6))]}
        given["sentAt"] = given["sent_at"] = chance.choice(TIMES)
    for _ in range(chance.randrange(4)):
        given = mutated(chance, given)
    if isinstance(given, dict) and chance.random() < 0.5:
        given["api_key"] = given["writeKey"] = target.send_key
    return _request("POST", path, target, chance, given)


def updates(target: Target, chance: Random) -> bytes:
    """Return fields of a company or a user, or several."""
    one, several = chance.choice((("company", "companies"), ("user", "users")))
    given: Any = _update(chance, one)
    method, path = "PUT", f"/v1/{several}/{chance.choice(('c1', 'u%2F1', '%ff', '..', '%00'))}"
    if chance.random() < 0.5:
        method, path = "POST", f"/v1/{several}/batch"
        given = {several: [_update(chance, one) for _ in range(chance.randrange(5))]}
    for _ in range(chance.randrange(4)):
        given = mutated(chance, given)
    return _request(method, path, target, chance, given)


def _request(method: str, path: str, target: Target, chance: Random, given: Any) -> bytes:
    written = json.dumps(given, ensure_ascii=chance.random() < 0.3)
    body = encode(written.replace("null", "NaN", 1) if chance.random() < 0.1 else written)
    headers: dict[str, str | bytes] = {"content-type": "application/json"}
    if chance.random() < 0.3:
        headers["content-type"] = chance.choice((*CLOUD_EVENTS, "text/plain", "x"))
    if chance.random() < 0.2:
        headers |= {"ce-specversion": "1.0", "ce-type": chance.choice(NAMES), "ce-id": "c-1"}
    if chance.random() < 0.5:
        pair = base64.b64encode(f"{target.send_key}:".encode())
        headers["authorization"] = b"Basic " + (
            damaged(chance, pair) if chance.random() < 0.1 else pair
        )
    else:
        headers["x-api-key"] = target.send_key
    match chance.randrange(8):
        case 0:
            body, headers["content-encoding"] = gzip.compress(body, mtime=0), "gzip"
        case 1:
            body = gzip.compress(body, mtime=0)
        case 2:
            body = damaged(chance, body)
    return request(method, path, headers, body)


def _segment(chance: Random) -> dict[str, Any]:
    return {
        "type": chance.choice(TYPES),
        "event": chance.choice(NAMES),
        "userId": _id(chance, "u"),
        "groupId": _id(chance, "c"),
        "messageId": f"node-{chance.randrange(2_000)}",
        "timestamp": chance.choice(TIMES),
        "traits": {"name": "Acme", text(chance): value(chance)},
        "properties": {"k": value(chance)},
        "context": {"groupId": _id(chance, "c")} if chance.random() < 0.5 else {},
    }


def _posthog(chance: Random) -> dict[str, Any]:
    names = (*NAMES, "$identify", "$groupidentify", "$set", "$create_alias")
    return {
        "event": chance.choice(names),
        "distinct_id": _id(chance, "u"),
        "uuid": f"ph-{chance.randrange(2_000)}",
        "timestamp": chance.choice(TIMES),
        "properties": {
            "$groups": {"company": _id(chance, "c")},
            "$group_type": "company",
            "$group_key": _id(chance, "c"),
            "$set": {"email": "a@example.com", text(chance): value(chance)},
        },
    }


def _cloud_event(chance: Random) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"ce-{chance.randrange(2_000)}",
        "source": "/fuzz",
        "type": chance.choice(NAMES),
        "time": chance.choice(TIMES),
        "data": {"company": {"id": _id(chance, "c")}, "user": _id(chance, "u"), "v": value(chance)},
    }


def _update(chance: Random, one: str) -> dict[str, Any]:
    fields = {"id": _id(chance, one[0]), "name": "A name", text(chance): value(chance)}
    company = {"company": {"id": _id(chance, "c")}} if chance.random() < 0.3 else {}
    return {**company, one: fields, "timestamp": chance.choice(TIMES)}


def _id(chance: Random, start: str) -> Any:
    return value(chance) if chance.random() < 0.1 else f"{start}{chance.randrange(50)}"


KINDS = (
    Kind("calls", 0.3, calls, to_web=True),
    Kind("updates", 0.15, updates, to_web=True),
)
