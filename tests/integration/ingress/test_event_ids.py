"""Event ids chosen by clients, which make sending an event idempotent."""

import json
from typing import Any
from uuid import UUID

import pytest

from models.database import query, transaction
from services.events.tracked_event import TrackedEvent
from services.rules.rule_books import RuleBooks
from tests.support.in_transactions import store
from tests.support.ingress.application import EXAMPLE, SMALL, Serve, check, tenant


def test_an_event_keeps_the_id_that_its_client_chose(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    for event_id in ("1", "order-4711", "é😀", "x" * 64):
        response = ingress.track({**SMALL, "event_id": event_id}, acme.key)
        assert response.status_code == 200
        assert response.get_json()["event_id"] == event_id
        assert ingress.queued_events()[-1]["event_id"] == event_id


def test_the_id_may_be_in_the_header(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    for key in ("k", '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "x" * 64):
        response = ingress.track(SMALL, acme.key, headers={"Idempotency-Key": key})
        assert response.get_json()["event_id"] == key
        assert ingress.queued_events()[-1]["event_id"] == key


def test_the_id_in_the_body_takes_precedence_over_the_header(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    headers = {"Idempotency-Key": "header"}
    own = ingress.track({**SMALL, "event_id": "body"}, acme.key, headers=headers)
    none = ingress.track({**SMALL, "event_id": None}, acme.key, headers=headers)
    assert own.get_json()["event_id"] == "body"
    assert none.get_json()["event_id"] == "header"


def test_without_an_id_the_ingress_generates_one(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    assert UUID(ingress.track(SMALL, acme.key).get_json()["event_id"]).version == 7


@pytest.mark.parametrize(
    ("event_id", "message"),
    [
        ("", "Must not be empty"),
        ("x" * 129, "At most 128 characters"),
        (" ", "Must not contain blanks"),
        ("a b", "Must not contain blanks"),
        ("a\u00a0b", "Must not contain blanks"),
        ("a\n", "Must not contain blanks"),
        (7, "Expected string, received number"),
        (["a"], "Expected string, received array"),
        ("a\x00", "NUL characters are not allowed"),
    ],
)
def test_an_invalid_id_gets_400(serve: Serve, event_id: Any, message: str) -> None:
    ingress, acme = serve(), tenant()
    details = [{"path": ["event_id"], "message": message}]
    response = ingress.track({**SMALL, "event_id": event_id}, acme.key)
    check(response, 400, {"error": "Invalid data", "details": details})
    assert ingress.queued_events() == []


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "Must not be empty"),
        ("x" * 129, "At most 128 characters"),
        ("a b", "Must not contain blanks"),
        ("\u00e9", "Must be of visible ASCII characters"),
        ("a\x7f", "Must be of visible ASCII characters"),
    ],
)
def test_an_invalid_header_is_reported_together_with_the_faults_of_the_body(
    serve: Serve, key: str, message: str
) -> None:
    ingress, acme = serve(), tenant()
    fault = {"path": ["Idempotency-Key"], "message": message}
    headers = {"Idempotency-Key": key}
    alone = ingress.track(SMALL, acme.key, headers=headers)
    check(alone, 400, {"error": "Invalid data", "details": [fault]})
    both = ingress.track({**SMALL, "company": {"id": "c"}}, acme.key, headers=headers)
    required = {"path": ["company", "name"], "message": "Required"}
    check(both, 400, {"error": "Invalid data", "details": [fault, required]})
    assert ingress.queued_events() == []


def test_an_event_that_is_sent_again_is_stored_once(serve: Serve) -> None:
    ingress, acme, globex = serve(), tenant("Acme"), tenant("Globex")
    again = {**EXAMPLE, "event_id": "é" * 64}
    for key in (acme.key, acme.key, globex.key):
        assert ingress.track(again, key).status_code == 200
    for event in ingress.queued_events():
        store([TrackedEvent.from_message(event)], RuleBooks())
    with transaction():
        stored = query("select organization_id, event_id from events order by organization_id")
    assert [(row["organization_id"], row["event_id"]) for row in stored] == [
        (acme.id, "é" * 64),
        (globex.id, "é" * 64),
    ]
    assert json.dumps(ingress.queued_events()).count("company_123") == 3
