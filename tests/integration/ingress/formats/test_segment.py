"""`POST /v1/batch` and the single calls of Segment's and RudderStack's SDKs."""

import gzip
import json
from typing import Any
from uuid import UUID

import pytest

from ingress.formats.segment import LARGEST
from models.database import transaction
from models.keys import api_keys
from models.keys.scopes import Scope
from tests.support.ingress.application import SMALL, Serve, check, tenant
from tests.support.ingress.door_client import DoorClient
from tests.support.ingress.sdk_requests import (
    AT,
    EVENTS,
    basic,
    call,
    entry,
    kept,
    queued,
    send_batch,
    track,
    unknown_names,
    unresolved,
)

OLD_ID = "node-9697d2a3df90fea0c53bb1c131406d91-9ea0e423-8f04-4422-8aaf-451b299b9d18"


def test_each_call_of_a_batch_becomes_an_entry(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    group = call("group", "g-1", groupId="acme", traits={"name": "Acme", "seats": 4})
    identify = call("identify", "i-1", traits={"email": "a@b.example"})
    alias = call("alias", "a-1", previousId="old")
    page = call("page", "p-1", name="Pricing", properties={"url": "/p"})
    calls = [group, track(OLD_ID, properties={"k": 1}), page, identify, alias]
    response = send_batch(ingress, acme.key, calls, writeKey=acme.key)
    check(response, 200, {"success": True, "accepted": 4, "rejected": 0})
    company = {"name": "Acme", "seats": 4, "id": "acme"}
    assert sorted(queued(ingress), key=lambda e: str(e["event_id"])) == [
        entry(acme, event_id="g-1", company=company, user={"id": "u1"}),
        entry(acme, event_id="i-1", user={"email": "a@b.example", "id": "u1"}),
        entry(
            acme,
            event_id=OLD_ID,
            event_key="report_created",
            company={"id": "acme"},
            user={"id": "u1"},
            data={"k": 1},
        ),
        entry(
            acme,
            event_id="p-1",
            event_key="page_viewed",
            user={"id": "u1"},
            data={"url": "/p", "name": "Pricing"},
        ),
    ]
    assert [e["event_id"] for e in unresolved(ingress, acme)] == ["p-1", "i-1"]
    assert kept(ingress, acme) == []


def test_a_refused_call_costs_no_other_and_is_kept(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    calls = [
        track("good"),
        {**track("unknown"), "event": "Deal Won", "writeKey": acme.key},
        {**track("disabled"), "event": "Off"},
        track("x" * 129),
        {**track("nobody"), "userId": None, "context": {}},
        call("identify", "mail", traits={"email": "nobody"}),
        7,
        {**track("late"), "timestamp": "2024-01-20T12:30:00Z"},
        track("large", properties={"text": "x" * 40_000}),
        call("screen", "view", name="Home"),
        track("last"),
    ]
    response = send_batch(ingress, acme.key, calls)
    body = response.get_json()
    assert (response.status_code, body["accepted"], body["rejected"]) == (200, 2, 9)
    assert [e["event_id"] for e in queued(ingress)] == ["good", "last"]
    assert [(each["index"], each["error"]) for each in body["errors"][:2]] == [
        (1, "Event setting not found for key: Deal Won"),
        (2, "Event setting is disabled for key: off"),
    ]
    assert [each["details"][0]["message"] for each in body["errors"][2:8]] == [
        "At most 128 characters",
        body["errors"][3]["details"][0]["message"],
        "Invalid email",
        "A call is an object, and this is a number",
        "More than 1 hour in the future",
        "A call is at most 32 KB",
    ]
    refusals = kept(ingress, acme)
    assert {(r.form, r.path) for r in refusals} == {("segment", "/v1/batch")}
    assert [r.event_id for r in refusals] == [
        "unknown", "disabled", "x" * 129, None, "mail", None, "late", None,
    ]  # fmt: skip
    assert json.loads(refusals[0].body) == {**track("unknown"), "event": "Deal Won", "sentAt": AT}
    assert acme.key.encode() not in b"".join(r.body for r in refusals)
    assert unknown_names(ingress, acme) == {"Deal Won": 1, "Screen Viewed": 1}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_content_types_of_sdks_are_accepted(serve: Serve, content_type: str) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    body = gzip.compress(json.dumps({"batch": [track("a")], "sentAt": AT}).encode())
    headers = {"Content-Type": content_type, "Content-Encoding": "gzip", **basic(acme.key)}
    assert ingress.post("/v1/batch", body, headers=headers).status_code == 200
    assert len(queued(ingress)) == 1


def test_the_key_may_be_in_the_body_or_in_our_headers(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    batch = {"batch": [track("a")]}
    assert ingress.post("/v1/batch", {**batch, "writeKey": acme.key}).status_code == 200
    assert ingress.post("/v1/batch", batch, acme.key).status_code == 200
    bearer = {"Authorization": f"Bearer {acme.key}"}
    assert ingress.post("/v1/batch", batch, headers=bearer).status_code == 200
    for body, headers in (
        (batch, {}),
        ({**batch, "writeKey": "wrong"}, {}),
        ({**batch, "writeKey": 7}, {}),
        ({**batch, "writeKey": acme.key}, basic("wrong")),
        (batch, {"Authorization": "Basic " + "!" * 9}),
    ):
        answer = ingress.post("/v1/batch", body, headers=headers)
        assert answer.status_code == 401
        assert {"error", "code", "message"} <= answer.get_json().keys()
    assert len(queued(ingress)) == 3


def test_the_key_is_a_name_without_a_password(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, headers=basic(acme.key)).status_code == 200
    assert ingress.track(SMALL, headers=basic(f"{acme.key}:x")).status_code == 401


@pytest.mark.parametrize(
    ("body", "path"),
    [([], []), ({}, ["batch"]), ({"batch": {}}, ["batch"]), (b'{"batch": [', [])],
)
def test_what_is_no_batch_is_refused(serve: Serve, body: Any, path: list[str]) -> None:
    ingress, acme = serve(), tenant()
    answer = ingress.post("/v1/batch", body, headers=basic(acme.key))
    error = answer.get_json()
    assert (answer.status_code, error["code"], error["details"][0]["path"]) == (400, "400", path)
    [refusal] = kept(ingress, acme)
    assert (refusal.status, refusal.form, refusal.body) == (400, "segment", b"")


def test_too_many_calls_and_too_large_bodies_get_413(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    assert send_batch(ingress, acme.key, [track(f"{n}") for n in range(1_000)]).status_code == 200
    assert len(queued(ingress)) == 1_000
    assert send_batch(ingress, acme.key, [7] * 1_001).status_code == 413
    assert ingress.post("/v1/batch", b"x" * (LARGEST + 1), acme.key).status_code == 413
    assert [r.status for r in kept(ingress, acme)] == [413, 413]


def test_one_call_that_is_no_json_costs_no_other(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    calls = [
        track("nan", properties={"a": [float("nan")]}),
        track("good"),
        track("half", properties={"a": "\ud800"}),
        track("nul", properties={"a": "\0"}),
        track("deep", properties={"a": json.loads("[" * 300 + "]" * 300)}),
        track("large", properties={"a": 2**70}),
    ]
    answer = send_batch(ingress, acme.key, calls)
    assert (answer.status_code, answer.get_json()["rejected"]) == (200, 5)
    assert [e["event_id"] for e in queued(ingress)] == ["good"]
    assert len(kept(ingress, acme)) == 5


def test_without_a_time_a_call_has_that_of_its_arrival(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    bare = {"type": "track", "userId": "u1", "event": "report_created"}
    send_batch(ingress, acme.key, [bare])
    [made] = queued(ingress)
    assert made["occurred_at"] == made["received_at"]
    assert UUID(made["event_id"]).version == 7


def test_an_import_is_history(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    group = call("group", "g", groupId="acme")
    assert send_batch(ingress, acme.key, [track("a"), group], path="/v1/import").status_code == 200
    assert [e.get("historical") for e in queued(ingress)] == [True, None]


def test_a_single_track_call_is_told_apart_from_our_own_event(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    single = {"userId": "u1", "event": "Report Created", "messageId": "m", "timestamp": AT}
    client = DoorClient(ingress.door)
    headers = {"content-type": "application/json", **basic(acme.key)}
    unknown = {**single, "event": "Deal Won"}
    bodies = [json.dumps(body).encode() for body in (single, unknown, {"event_key": "x"})]
    try:
        good, refused, ours = client.post("/v1/track", *bodies, headers=headers)
        [no_basic] = client.post(
            "/v1/track",
            bodies[0],
            headers={"content-type": "application/json", "x-api-key": acme.key},
        )
    finally:
        client.close()
    assert (good.status, json.loads(good.body)["accepted"]) == (200, 1)
    assert (refused.status, json.loads(refused.body)["code"]) == (400, "400")
    assert {"x-ratelimit-limit", "x-ratelimit-remaining"} <= {*map(str.lower, refused.headers)}
    assert (ours.status, no_basic.status) == (400, 400)
    assert queued(ingress) == [
        entry(acme, event_id="m", event_key="report_created", user={"id": "u1"})
    ]
    assert sorted((r.form, r.path, r.status) for r in kept(ingress, acme)) == [
        ("brazebee", "/v1/track", 400),
        ("brazebee", "/v1/track", 400),
        ("segment", "/v1/track", 404),
    ]
    assert unknown_names(ingress, acme) == {"Deal Won": 1}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("identify", {"userId": "u1", "traits": {"a": 1}}),
        ("group", {"userId": "u1", "groupId": "acme"}),
        ("page", {"userId": "u1", "name": "Home"}),
        ("alias", {"userId": "u1", "previousId": "u0"}),
    ],
)
def test_single_calls_have_paths_of_their_own(serve: Serve, path: str, body: Any) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    answer = ingress.post(f"/v1/{path}", {**body, "type": "track"}, headers=basic(acme.key))
    check(answer, 200, {"success": True, "accepted": int(path != "alias"), "rejected": 0})
    assert ingress.post(f"/v1/{path}", {**body, "userId": []}, acme.key).status_code in (200, 400)
    assert ingress.post(f"/v1/{path}", body).status_code == 401


def test_a_limit_and_an_outage_make_an_sdk_try_again(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS, rate_limit="2/hour")
    for status in (200, 200, 429):
        answer = send_batch(ingress, acme.key, [track("a"), 7])
        assert answer.status_code == status
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.get_json()["message"].startswith("Rate limit exceeded")
    broken = serve(queue_url="unix:///nowhere/redis.sock?db=0")
    answer = send_batch(broken, acme.key, [track("a")])
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert len(queued(ingress)) == 2


def test_a_key_that_may_not_send_is_refused(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    with transaction():
        reader = api_keys.create(acme.id, "Reader", [Scope.READ])
    answer = send_batch(ingress, reader, [track("a")])
    assert (answer.status_code, answer.get_json()["code"]) == (403, "403")
    assert [(r.status, r.form, r.body) for r in kept(ingress, acme)] == [(403, "segment", b"")]
    assert send_batch(ingress, "bzb_wrong", [track("a")]).status_code == 401
    assert len(kept(ingress, acme)) == 1
