"""What is refused with a valid key is kept with its reason and body, and nothing else is."""

import gzip
import json
from typing import Any

import pytest

from models.database import transaction
from models.keys import api_keys
from models.keys.scopes import Scope
from queues.refused.requests import Refusal, RefusedRequests
from tests.support.ingress.application import (
    NO_REDIS,
    NOW,
    SMALL,
    EventSetting,
    Ingress,
    Serve,
    Tenant,
    memory_used,
    tenant,
)

UNKNOWN = {**SMALL, "event_key": "signup"}


def kept(ingress: Ingress, owner: Tenant) -> list[Refusal]:
    """Return what is kept for an organization, oldest first."""
    refused = RefusedRequests(ingress.queue).every(owner.id, NOW)
    return [request.refusal for request in refused][::-1]


def test_an_event_that_is_not_configured_is_kept(serve: Serve) -> None:
    owner, ingress = tenant(), serve()
    ingress.track(UNKNOWN, owner.key, headers={"Idempotency-Key": "e-1"})
    [refusal] = kept(ingress, owner)
    assert (refusal.status, refusal.form, refusal.path) == (404, "brazebee", "/v1/track")
    assert (refusal.at, refusal.event_key, refusal.event_id) == (NOW, "signup", "e-1")
    assert refusal.error == "Event setting not found for key: signup"
    assert json.loads(refusal.body) == UNKNOWN


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({**SMALL, "company": {"id": "c1"}}, 400, "Invalid data"),
        ({**SMALL, "event_key": "off"}, 400, "Event setting is disabled for key: off"),
        (b'{"event_key": ', 400, "Invalid JSON"),
        (b"\xff\xfe", 400, "Invalid JSON"),
    ],
)
def test_invalid_and_disabled_events_are_kept(
    serve: Serve, body: Any, status: int, error: str
) -> None:
    owner = tenant(events=[EventSetting("onboarding_complete"), EventSetting("off", enabled=False)])
    ingress = serve()
    answer = ingress.track(body, owner.key)
    [refusal] = kept(ingress, owner)
    assert (refusal.status, refusal.error) == (answer.status_code, error) == (status, error)
    assert refusal.details == answer.get_json().get("details", [])
    assert refusal.body == (body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_compressed_body_is_kept_inflated(serve: Serve) -> None:
    owner, ingress = tenant(), serve()
    headers = {"Content-Encoding": "gzip"}
    ingress.track(gzip.compress(json.dumps(UNKNOWN).encode()), owner.key, headers=headers)
    ingress.track(b"damaged", owner.key, headers=headers)
    first, second = kept(ingress, owner)
    assert json.loads(first.body) == UNKNOWN
    assert second.body == b""


def test_requests_that_are_not_read_are_kept_without_a_body(serve: Serve) -> None:
    owner, ingress = tenant(), serve()
    ingress.track(b"x" * 40_000, owner.key)
    ingress.track(b"a=b", owner.key, headers={"Content-Type": "text/plain"})
    ingress.batch(b"x" * 1_100_000, owner.key)
    ingress.track(b"x" * 40_000, "bzb_wrong")
    assert [(r.status, r.body, r.form) for r in kept(ingress, owner)] == [
        (413, b"", "brazebee"),
        (415, b"", "brazebee"),
        (413, b"", "batch"),
    ]


def test_each_refused_event_of_a_batch_is_kept_and_no_other(serve: Serve) -> None:
    owner, ingress = tenant(), serve()
    events = [SMALL, UNKNOWN, {"event_id": "own", **UNKNOWN}, 7, {**SMALL, "n": 2**70}]
    ingress.batch(events, owner.key, headers={"Idempotency-Key": "b"})
    refusals = kept(ingress, owner)
    assert [json.loads(r.body) for r in refusals] == [*events[1:4], events[4]]
    assert [r.event_id for r in refusals] == ["b/1", "own", "b/3", "b/4"]
    assert {(r.path, r.form) for r in refusals} == {("/v1/track/batch", "brazebee")}


def test_a_batch_that_is_refused_as_a_whole_is_kept_once(serve: Serve) -> None:
    owner, ingress = tenant(), serve()
    ingress.batch({"events": []}, owner.key)
    ingress.batch(b"[", owner.key)
    assert [(r.form, r.error) for r in kept(ingress, owner)] == [
        ("batch", "Invalid data"),
        ("batch", "Invalid JSON"),
    ]


def test_requests_of_a_key_that_may_not_send_are_kept(serve: Serve) -> None:
    owner, ingress = tenant(), serve()
    with transaction():
        reader = api_keys.create(owner.id, "Reader", [Scope.READ])
    ingress.track(SMALL, reader)
    ingress.batch([SMALL], reader)
    refusals = kept(ingress, owner)
    assert [(r.status, r.form) for r in refusals] == [(403, "brazebee"), (403, "batch")]
    assert all(reader.encode() not in r.body for r in refusals)


def test_what_may_succeed_later_is_not_kept(serve: Serve) -> None:
    owner, ingress = tenant(rate_limit="1/hour"), serve()
    assert ingress.track(SMALL, owner.key).status_code == 200
    assert ingress.track(UNKNOWN, owner.key).status_code == 429
    assert ingress.track(UNKNOWN, "bzb_wrong").status_code == 401
    assert serve(queue_url=NO_REDIS).track(UNKNOWN, owner.key).status_code == 503
    assert kept(ingress, owner) == []


def test_while_redis_is_nearly_full_refusals_are_answered_and_not_kept(serve: Serve) -> None:
    owner, ingress = tenant(), serve()
    ingress.track(UNKNOWN, owner.key)
    later = serve()
    with memory_used(ingress.queue, 0.9):
        assert later.track(UNKNOWN, owner.key).status_code == 404
    assert kept(ingress, owner) == []
