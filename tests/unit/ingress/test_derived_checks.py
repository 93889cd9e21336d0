"""What is derived from the schema of an event decides as the schema does, for any body."""

import json
from random import Random
from typing import Any

import pytest

from fuzz.hostile import mutated
from ingress.event import schema
from ingress.event.schema import InvalidEvent, validate_event
from ingress.event.valid_event import ValidEvent
from ingress.strict_json import UnreadableBody, read_json
from tests.support.ingress.event_payloads import NOW

EVENT: dict[str, Any] = {
    "event_id": "event-1",
    "event_key": "login",
    "company": {"id": "c1", "name": "Acme", "plan": "team", "crm_provider": "hubspot", "seats": 5},
    "user": {"id": "u1", "email": "ann@example.com", "name": "Ann", "role": None},
    "data": {"source": "web", "tags": ["beta"], "nested": {"a": 1.5}},
    "timestamp": "2024-01-20T10:30:00+01:00",
}
OPTIONAL = ("event_id", "user", "data", "timestamp")


def body_of(number: int) -> bytes:
    """Return the JSON of an event in which up to three things are wrong."""
    chance = Random(number)
    given: Any = {
        name: part for name, part in EVENT.items() if name not in OPTIONAL or chance.random() < 0.7
    }
    for _ in range(chance.randrange(4)):
        given = mutated(chance, given)
    written = json.dumps(given, ensure_ascii=chance.random() < 0.5)
    return written.encode("utf-8", "surrogatepass")


def outcome(body: bytes) -> ValidEvent | list[dict[str, Any]] | str:
    """Return the event in a body, its faults, or why it is no JSON."""
    try:
        parsed = read_json(body)
        return validate_event(parsed.value, NOW, storable=parsed.is_storable())
    except InvalidEvent as error:
        return error.details
    except UnreadableBody as error:
        return str(error)


@pytest.mark.parametrize(
    "number", [1_000, pytest.param(50_000, marks=[pytest.mark.thorough, pytest.mark.timeout(600)])]
)
def test_random_bodies_have_the_same_outcome_by_the_schema_alone(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [body_of(n) for n in range(number)]
    derived = [outcome(body) for body in bodies]
    valid = sum(isinstance(found, ValidEvent) for found in derived)
    assert 0.2 < valid / number < 0.8, "both are tried"
    monkeypatch.setattr(schema, "recognize", lambda *_: None)
    for body, found in zip(bodies, derived, strict=True):
        assert outcome(body) == found, body
