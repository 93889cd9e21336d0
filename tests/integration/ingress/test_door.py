"""The event loop answers requests as Flask does, and shares round trips to Redis."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import orjson
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from ingress.event.valid_event import LARGEST_EVENT
from queues.admissions import AdmissionRequest, Admissions
from serving import body as body_module
from tests.support.ingress.application import (
    EXAMPLE,
    NOW,
    SMALL,
    EventSetting,
    Serve,
    Tenant,
    check,
    tenant,
)
from tests.support.ingress.door_client import DoorClient

WRONG: list[Any] = [
    None, "", " ", "\u2003", "\x00", "x" * 200, "x" * 201, 7, 1.5, True, [], {}, ["a"], {"id": "a"},
    "a@b.example", "a@", "2024-01-20T10:30:00Z", "2024-01-20", "2124-01-01T00:00:00Z", "yesterday",
    (NOW + timedelta(minutes=59)).isoformat(), (NOW + timedelta(minutes=61)).isoformat(), "off",
]  # fmt: skip
PLACES = [
    (), ("event_id",), ("event_key",), ("company",), ("company", "id"), ("company", "name"),
    ("company", "crm_provider"), ("company", "custom"), ("user",), ("user", "id"),
    ("user", "email"), ("user", "name"), ("user", "custom"), ("data",), ("data", "custom"),
    ("timestamp",), ("unknown",),
]  # fmt: skip
HEADERS: list[dict[str, str]] = [
    {}, {"Idempotency-Key": "order-7"}, {"Idempotency-Key": "two words"}, {"Idempotency-Key": ""},
    {"x-api-key": "bzb_unknown"}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "br"},
]  # fmt: skip


def changed(event: Any, place: tuple[str, ...], value: Any) -> Any:
    """Return an event with another value, or none, in one place."""
    if not place:
        return value
    outer, inner = dict(event), event.get(place[0])
    if len(place) > 1 and not isinstance(inner, dict):
        return event
    outer[place[0]] = changed(inner, place[1:], value)
    if value == "x" * 201:
        del outer[place[0]]
    return outer


bodies = (
    st.tuples(
        st.sampled_from([SMALL, EXAMPLE]),
        st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(WRONG)), max_size=2),
    ).map(
        lambda drawn: orjson.dumps(
            changed(changed(drawn[0], *drawn[1][0]), *drawn[1][-1])
            if drawn[1] and isinstance(changed(drawn[0], *drawn[1][0]), dict)
            else drawn[0]
        )
    )
    | st.sampled_from([b"", b"{", b'{"a":1,"a":2}', b"\xff", b"[" * 12 + b"]" * 12, b"null"])
    | st.sampled_from([0, 1]).map(lambda more: orjson.dumps(SMALL).ljust(LARGEST_EVENT + more))
)


@pytest.fixture
def acme(serve: Serve) -> Tenant:
    settings = (EventSetting("onboarding_complete"), EventSetting("off", enabled=False))
    return tenant(rate_limit="1000000/hour", events=settings)


@pytest.fixture
def client(serve: Serve) -> Iterator[DoorClient]:
    client = DoorClient(serve().door)
    yield client
    client.close()


def stable_parts(status: int, body: bytes, headers: Iterable[tuple[str, str]]) -> tuple[Any, ...]:
    """Return a response without the parts that vary: counters, times and random ids."""
    answer = orjson.loads(body)
    if len(answer.get("event_id") or "") == len("0199f8e2-0000-7000-8000-000000000001"):
        answer["event_id"] = ANY
    stable = {name.lower(): value for name, value in headers}
    stable.pop("content-length", None)
    remaining = int(stable.pop("x-ratelimit-remaining"))
    stable["x-ratelimit-reset"] = ANY
    return status, answer, stable, remaining


@given(body=bodies, headers=st.sampled_from(HEADERS))
def test_an_event_is_answered_and_queued_as_by_flask(
    serve: Serve, acme: Tenant, body: bytes, headers: dict[str, str]
) -> None:
    ingress = serve()
    sent = {"x-api-key": acme.key, "Content-Type": "application/json", **headers}
    answers, queued = [], []

    def note(status: int, content: bytes, received: Iterable[tuple[str, str]]) -> None:
        answers.append(stable_parts(status, content, received))
        queued.append([{**event, "event_id": ANY} for event in ingress.queued_events()])
        ingress.queue.delete(*ingress.queue.keys("brazebee:{events}:*") or ["none"])

    with closing(DoorClient(ingress.door)) as client:
        [exchange] = client.post("/v1/track", body, headers=sent)
    note(exchange.status, exchange.body, exchange.headers.items())
    with ingress.app.test_client() as flask:
        response = flask.post("/v1/track", data=body, headers=sent)
    note(response.status_code, response.data, response.headers)
    *by_loop, remaining = answers[0]
    *by_flask, remaining_after = answers[1]
    assert by_loop == by_flask
    assert queued[0] == queued[1]
    assert remaining_after == remaining - 1


def test_requests_of_the_same_moment_share_a_round_trip(
    client: DoorClient, acme: Tenant, shared_redis: redis.Redis
) -> None:
    headers = {"x-api-key": acme.key, "Content-Type": "application/json"}
    client.post("/v1/track", orjson.dumps(SMALL), headers=headers)
    before = shared_redis.info("stats")["total_reads_processed"]
    posted = client.post("/v1/track", *[orjson.dumps(SMALL)] * 50, headers=headers)
    assert [exchange.status for exchange in posted] == [200] * 50
    assert shared_redis.info("stats")["total_reads_processed"] - before < 10


def test_a_script_that_redis_has_forgotten_is_loaded_again(
    client: DoorClient, acme: Tenant, shared_redis: redis.Redis
) -> None:
    headers = {"x-api-key": acme.key, "Content-Type": "application/json"}
    for _ in range(2):
        shared_redis.script_flush()
        posted = client.post("/v1/track", *[orjson.dumps(SMALL)] * 3, headers=headers)
        assert [exchange.status for exchange in posted] == [200] * 3


def test_a_connection_that_redis_has_closed_is_opened_again(
    client: DoorClient, acme: Tenant, shared_redis: redis.Redis
) -> None:
    headers = {"x-api-key": acme.key, "Content-Type": "application/json"}
    client.post("/v1/track", orjson.dumps(SMALL), headers=headers)
    shared_redis.client_kill_filter(_type="normal", skipme=True)
    statuses = [
        client.post("/v1/track", orjson.dumps(SMALL), headers=headers)[0].status for _ in range(2)
    ]
    assert statuses[-1] == 200


@pytest.mark.parametrize("path", ["/v1/track", "/v1/track/batch"])
@pytest.mark.parametrize("length", [{}, {"transfer-encoding": "chunked"}], ids=["whole", "chunked"])
def test_a_body_that_breaks_off_gets_400_though_it_is_whole_json(
    serve: Serve, acme: Tenant, client: DoorClient, path: str, length: dict[str, str]
) -> None:
    headers = {"x-api-key": acme.key, "Content-Type": "application/json", **length}
    [exchange] = client.post(path, orjson.dumps(SMALL), headers=headers, breaks_off=True)
    assert (exchange.status, exchange.body) == (400, b'{"error":"The body breaks off"}')
    assert exchange.headers["Connection"] == "close"
    assert serve().queued_events() == []


@pytest.mark.parametrize("path", ["/v1/track", "/v1/track/batch"])
def test_a_body_that_does_not_arrive_in_time_gets_408(
    client: DoorClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(body_module, "BODY_SECONDS", 0.05)
    for length in ({"content-length": "100"}, {"transfer-encoding": "chunked"}):
        [exchange] = client.post(path, b"{", headers=length, slow=True)
        assert exchange.status == 408


def test_a_header_that_is_not_ascii_is_named(client: DoorClient, acme: Tenant) -> None:
    headers = {"x-api-key": acme.key, "Content-Type": "application/json"}
    [exchange] = client.post(
        "/v1/track", orjson.dumps(SMALL), headers={**headers, "Idempotency-Key": "café"}
    )
    [detail] = orjson.loads(exchange.body)["details"]
    assert (exchange.status, detail["path"]) == (400, ["Idempotency-Key"])
    [exchange] = client.post(
        "/v1/track", orjson.dumps(SMALL), headers={**headers, "x-api-key": "café"}
    )
    assert (exchange.status, orjson.loads(exchange.body)["error"]) == (401, "Invalid API key")


def test_a_request_beyond_the_limit_is_refused_once(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="1/hour")
    ingress.track(SMALL, acme.key)
    details = [{"message": "At most 1 requests in a window; see Retry-After"}]
    check(ingress.track(SMALL, acme.key), 429, {"error": "Rate limit exceeded", "details": details})
    assert len(ingress.queued_events()) == 1


def test_an_unexpected_error_of_the_queue_gets_500_and_is_not_retried(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def fail(_admissions: Admissions, request: AdmissionRequest) -> None:
        tried.append(request.window.organization_id)
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(Admissions, "admit", fail)
    ingress, acme = serve(), tenant()
    with caplog.at_level(logging.ERROR, logger="brazebee.ingress"):
        response = ingress.track(SMALL, acme.key)
    check(response, 500, {"error": "Internal server error"})
    assert "hunter2" in caplog.text
    assert tried == [acme.id]
