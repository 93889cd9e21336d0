"""`POST /v1/track/batch`, on the real Redis and PostgreSQL."""

import json
from typing import Any
from uuid import UUID

import pytest

from config.settings import Settings
from ingress.batch import LARGEST_BATCH
from ingress.event.valid_event import LARGEST_EVENT
from models.database import connect, database
from tests.support.ingress.application import (
    EXAMPLE,
    NO_REDIS,
    NOWHERE,
    SMALL,
    Clock,
    EventSetting,
    Serve,
    check,
    check_unavailable,
    error_of,
    rate_limit_of,
    tenant,
)

SETTINGS = [EventSetting("onboarding_complete"), EventSetting("off", enabled=False)]


def test_every_event_of_a_batch_is_queued(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    response = ingress.batch([EXAMPLE, {**SMALL, "event_id": "own"}], acme.key)
    generated = response.get_json()["results"][0]["event_id"]
    assert UUID(generated).version == 7
    results = [
        {"index": 0, "event_id": generated, "status": "accepted"},
        {"index": 1, "event_id": "own", "status": "accepted"},
    ]
    check(response, 200, {"accepted": 2, "rejected": 0, "results": results})
    first, second = ingress.queued_events()
    ingress.track({**EXAMPLE, "event_id": generated}, acme.key)
    assert first == ingress.queued_events()[2], (
        "an event is enqueued the same way alone and in a batch"
    )
    assert (second["event_id"], second["organization_id"]) == ("own", acme.id)


def test_each_event_is_accepted_or_rejected_by_itself(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=SETTINGS)
    response = ingress.batch(
        [
            {**SMALL, "company": {"name": "Acme"}, "event_id": "bad"},
            {**SMALL, "event_key": "invalid_event"},
            {**SMALL, "event_key": "off"},
            7,
            {**SMALL, "event_id": "good"},
            {**SMALL, "event_id": " "},
        ],
        acme.key,
    )
    field = {
        "field": "event_key",
        "message": "Event must be configured in Event Settings before tracking",
    }

    def rejected(index: int, event_id: str | None, error: str, *details: Any) -> dict[str, Any]:
        result = {"index": index, "event_id": event_id, "status": "rejected", "error": error}
        return result | ({"details": list(details)} if details else {})

    blank = {"path": ["event_id"], "message": "Must not contain blanks"}
    number = {"path": [], "message": "Expected object, received number"}
    required = {"path": ["company", "id"], "message": "Required"}
    results = [
        rejected(0, "bad", "Invalid data", required),
        rejected(1, None, "Event setting not found for key: invalid_event", field),
        rejected(2, None, "Event setting is disabled for key: off"),
        rejected(3, None, "Invalid data", number),
        {"index": 4, "event_id": "good", "status": "accepted"},
        rejected(5, None, "Invalid data", blank),
    ]
    check(response, 200, {"accepted": 1, "rejected": 5, "results": results})
    assert [event["event_id"] for event in ingress.queued_events()] == ["good"]


def test_a_batch_of_rejected_events_queues_nothing_but_counts_as_a_request(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    response = ingress.batch([{}, 7], acme.key)
    assert (response.status_code, response.get_json()["accepted"]) == (200, 0)
    assert ingress.queued_events() == []
    assert rate_limit_of(response)[1] == 9_999


def test_a_batch_is_one_request(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="2/hour")
    first, second, third = (ingress.batch([SMALL] * 100, acme.key) for _ in range(3))
    assert rate_limit_of(first)[:2] == (2, 1)
    assert rate_limit_of(second)[:2] == (2, 0)
    assert error_of(third) == (429, "Rate limit exceeded")
    assert len(ingress.queued_events()) == 200


@pytest.mark.parametrize(
    ("envelope", "path", "message"),
    [
        ({}, ["events"], "Required"),
        ({"events": None}, ["events"], "Required"),
        ({"events": {}}, ["events"], "Expected array, received object"),
        ({"events": []}, ["events"], "Must not be empty"),
        ({"events": [SMALL] * 101}, ["events"], "At most 100 events"),
        (b"[]", [], "Expected object, received array"),
        (b"null", [], "Expected object, received null"),
    ],
)
def test_a_bad_envelope_gets_400_and_counts(
    serve: Serve, envelope: Any, path: Any, message: str
) -> None:
    ingress, acme = serve(), tenant()
    response = ingress.batch(envelope, acme.key)
    details = [{"path": path, "message": message}]
    check(response, 400, {"error": "Invalid data", "details": details})
    assert rate_limit_of(response)[1] == 9_999
    assert ingress.queued_events() == []


def test_a_repeated_key_in_one_event_refuses_the_whole_body(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    good = json.dumps(SMALL).encode()
    body = b'{"events":[' + good + b',{"event_key":"a","event_key":"b"}]}'
    response = ingress.batch(body, acme.key)
    assert error_of(response) == (400, "Invalid JSON")
    assert "stands twice" in response.get_json()["details"][0]["message"]
    assert ingress.queued_events() == []


def test_with_a_key_in_the_header_the_id_of_an_event_without_one_is_key_and_index(
    serve: Serve,
) -> None:
    ingress, acme = serve(), tenant()
    events = [SMALL, {**SMALL, "event_id": "own"}, {}, SMALL]
    response = ingress.batch(events, acme.key, headers={"Idempotency-Key": "k" * 60})
    ids = [result["event_id"] for result in response.get_json()["results"]]
    assert ids == ["k" * 60 + "/0", "own", "k" * 60 + "/2", "k" * 60 + "/3"]
    assert [event["event_id"] for event in ingress.queued_events()] == [ids[0], "own", ids[3]]


def test_events_of_the_past_are_marked(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    for historical in (True, False, None):
        body = {"events": [SMALL], "historical": historical}
        assert ingress.batch(body, acme.key).status_code == 200
    marked = [event.get("historical") for event in ingress.queued_events()]
    assert marked == [True, None, None]


def test_whether_events_are_of_the_past_is_a_boolean(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    response = ingress.batch({"events": [], "historical": "yes"}, acme.key)
    details = [
        {"path": ["historical"], "message": "Expected boolean, received string"},
        {"path": ["events"], "message": "Must not be empty"},
    ]
    check(response, 400, {"error": "Invalid data", "details": details})


@pytest.mark.parametrize(
    ("key", "message"),
    [("k" * 125, "At most 124 characters"), ("a b", "Must not contain blanks")],
)
def test_an_invalid_header_refuses_the_batch(serve: Serve, key: str, message: str) -> None:
    ingress, acme = serve(), tenant()
    response = ingress.batch([SMALL], acme.key, headers={"Idempotency-Key": key})
    details = [{"path": ["Idempotency-Key"], "message": message}]
    check(response, 400, {"error": "Invalid data", "details": details})
    assert ingress.queued_events() == []


def test_an_event_of_a_batch_may_be_as_large_as_one_sent_alone(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    size = len(json.dumps({**SMALL, "data": {"x": ""}}, separators=(",", ":")))
    events = [{**SMALL, "data": {"x": "x" * (LARGEST_EVENT - size + over)}} for over in (0, 1)]
    [fits, large] = ingress.batch(events, acme.key).get_json()["results"]
    assert fits["status"] == "accepted"
    assert (large["status"], large["error"]) == ("rejected", "Invalid data")
    assert large["details"] == [{"path": [], "message": "An event is at most 32 KB"}]


def test_an_event_that_postgresql_could_not_store_is_rejected_alone(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    deep = json.loads('{"a":' * 300 + "1" + "}" * 300)
    filling = {**SMALL, "data": {"x": "x" * LARGEST_EVENT}}
    events = [{**SMALL, "data": {"a": "\x00"}}, {**SMALL, "data": deep}, filling, SMALL]
    results = ingress.batch(events, acme.key).get_json()["results"]
    assert [result["status"] for result in results] == ["rejected"] * 3 + ["accepted"]
    assert results[0]["details"][0]["path"] == ["data", "a"]


def test_a_batch_of_100_events_of_10_kb_is_accepted_and_a_larger_body_gets_413(
    serve: Serve,
) -> None:
    ingress, acme = serve(), tenant()
    events = [{**SMALL, "data": {"x": "x" * 10_000}}] * 100
    assert ingress.batch(events, acme.key).get_json()["accepted"] == 100
    body = json.dumps({"events": [SMALL]}).encode()
    assert ingress.batch(body.ljust(LARGEST_BATCH), acme.key).status_code == 200
    details = [{"message": "A batch is at most 1024 KB"}]
    large = ingress.batch(body.ljust(LARGEST_BATCH + 1), acme.key)
    check(large, 413, {"error": "Request body too large", "details": details})


def test_a_batch_is_checked_in_the_same_order_as_an_event(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="1/hour")
    text = {"Content-Type": "text/plain"}
    answers = [
        ingress.batch(b" " * (LARGEST_BATCH + 1), "wrong", headers=text),
        ingress.batch(b"{", "wrong", headers=text),
        ingress.batch(b"{", "wrong"),
        ingress.batch(b"{", acme.key),
        ingress.batch(b"{", acme.key),
    ]
    assert [response.status_code for response in answers] == [413, 415, 401, 400, 429]


def test_without_redis_a_batch_gets_503(serve: Serve) -> None:
    ingress, acme = serve(queue_url=NO_REDIS), tenant()
    check_unavailable(ingress.batch([SMALL], acme.key))
    check_unavailable(ingress.batch([{}], acme.key))


def test_while_event_settings_cannot_be_read_a_batch_gets_503_and_nothing_of_it_is_queued(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.batch([{}], acme.key).status_code == 200
    database.obj.close_all()
    connect(Settings(NOWHERE, settings.redis_url, settings.redis_url), answer_within_ms=400)
    clock.advance(10)
    check_unavailable(ingress.batch([{}, SMALL], acme.key))
    assert ingress.queued_events() == []
