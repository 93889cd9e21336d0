"""The fast path answers like the view, which an unusual `Content-Type` selects."""

import logging
from copy import deepcopy
from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from ingress.track import LARGEST_EVENT
from queues.admissions import Admissions
from tests.support.ingress.application import (
    EXAMPLE,
    NOW,
    SMALL,
    EventSetting,
    Serve,
    Tenant,
    check,
    rate_limit_of,
    tenant,
)

AROUND = "application/json; charset=utf-8"

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


def stable_parts(response: TestResponse) -> tuple[Any, ...]:
    """Return a response without the parts that vary: counters, times and random ids."""
    body = dict(response.get_json())
    if len(body.get("event_id") or "") == len("0199f8e2-0000-7000-8000-000000000001"):
        body["event_id"] = ANY
    headers = {name: value for name, value in response.headers if name != "X-RateLimit-Remaining"}
    headers["X-RateLimit-Reset"] = ANY
    return response.status_code, body, headers


@given(body=bodies, headers=st.sampled_from(HEADERS))
def test_an_event_is_answered_and_queued_as_the_view_does(
    serve: Serve, acme: Tenant, body: bytes, headers: dict[str, str]
) -> None:
    ingress = serve()
    queue = ingress.queue
    answers, queued, remaining = [], [], []
    for content_type in ("application/json", AROUND):
        queue.delete(*queue.keys("brazebee:{events}:*") or ["none"])
        sent = {"x-api-key": acme.key, **headers, "Content-Type": content_type}
        with ingress.app.test_client() as client:
            response = client.post("/v1/track", data=body, headers=sent)
        answers.append(stable_parts(response))
        remaining.append(rate_limit_of(response)[1])
        queued.append([{**event, "event_id": ANY} for event in ingress.queued_events()])
    assert answers[0] == answers[1]
    assert queued[0] == queued[1]
    assert remaining[1] == remaining[0] - 1


def test_nearly_every_event_takes_the_fast_path(
    serve: Serve, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingress = serve()
    monkeypatch.setitem(ingress.app.view_functions, "track", lambda: pytest.fail("the view ran"))
    for event in (SMALL, EXAMPLE, {**SMALL, "user": None, "data": {"deep": [[{"a": [1]}]]}}):
        assert ingress.track(event, acme.key).status_code == 200
    assert ingress.track(SMALL, acme.key, headers={"Idempotency-Key": "k"}).json is not None


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

    def fail(_admissions: Admissions, organization_id: int, *_: Any, **__: Any) -> None:
        tried.append(organization_id)
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(Admissions, "admit", fail)
    ingress, acme = serve(), tenant()
    with caplog.at_level(logging.ERROR, logger="brazebee.ingress"):
        response = ingress.track(SMALL, acme.key)
    check(response, 500, {"error": "Internal server error"})
    assert "hunter2" in caplog.text
    assert tried == [acme.id]


def test_the_view_can_read_the_body_again(serve: Serve, acme: Tenant) -> None:
    ingress = serve()
    event = {**deepcopy(EXAMPLE), "event_key": "nobody configured this"}
    response = ingress.track(event, acme.key)
    assert response.status_code == 404
    assert response.json is not None
    assert response.json["error"].endswith("nobody configured this")
