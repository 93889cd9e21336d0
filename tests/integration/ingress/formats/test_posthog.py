"""The endpoints of PostHog's SDKs."""

import gzip
import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from ingress.batch import LARGEST_BATCH
from ingress.formats.posthog import LARGEST
from tests.support.ingress.application import Ingress, Serve, Tenant, check, tenant
from tests.support.ingress.door_client import DoorClient
from tests.support.ingress.sdk_requests import (
    AT,
    EVENTS,
    capture,
    entry,
    kept,
    queued,
    unknown_names,
    unresolved,
)


def send(ingress: Ingress, owner: Tenant, events: Any, path: str = "/batch/") -> TestResponse:
    """Send a batch as posthog-python does."""
    return ingress.post(path, {"api_key": owner.key, "batch": events, "sent_at": AT})


def test_each_event_of_a_batch_becomes_an_entry(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    group = {"$group_type": "company", "$group_key": "acme", "$group_set": {"name": "Acme"}}
    events = [
        capture("e-1", k=1),
        {**capture("g-1", "$groupidentify", **group), "distinct_id": "$company_acme"},
        capture("i-1", "$identify", **{"$groups": {}, "$set": {"email": "a@b.example"}}),
        capture("a-1", "$create_alias", alias="old"),
        capture("p-1", "$pageview", **{"$groups": {}, "$current_url": "/p"}),
    ]
    check(send(ingress, acme, events), 200, {"status": "Ok", "accepted": 4, "rejected": 0})
    user = {"id": "u1"}
    assert sorted(queued(ingress), key=lambda e: str(e["event_id"])) == [
        entry(
            acme,
            event_id="e-1",
            event_key="report_created",
            company={"id": "acme"},
            user=user,
            data={"k": 1},
        ),
        entry(acme, event_id="g-1", company={"name": "Acme", "id": "acme"}),
        entry(acme, event_id="i-1", user={"email": "a@b.example", **user}),
        entry(
            acme,
            event_id="p-1",
            event_key="page_viewed",
            user=user,
            data={"$current_url": "/p"},
        ),
    ]
    assert len(unresolved(ingress, acme)) == 2


def test_what_the_sdk_sends_by_itself_is_counted_and_not_kept(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    events = [capture("a", "$autocapture"), capture("b", "$autocapture"), capture("c", "deal")]
    answer = send(ingress, acme, events)
    assert (answer.status_code, answer.get_json()["rejected"]) == (200, 3)
    assert [json.loads(r.body)["event"] for r in kept(ingress, acme)] == ["deal"]
    assert unknown_names(ingress, acme) == {"$autocapture": 2, "deal": 1}


def test_no_key_is_kept(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    event = {**capture("a", "deal", token=acme.key), "api_key": acme.key}
    assert ingress.post("/i/v0/e/", event).status_code == 400
    assert ingress.post("/e/", [event]).status_code == 200
    refusals = kept(ingress, acme)
    assert [r.path for r in refusals] == ["/i/v0/e/", "/e/"]
    assert acme.key.encode() not in b"".join(r.body for r in refusals)


@pytest.mark.parametrize(
    "path", ["/batch", "/batch/", "/capture", "/capture/", "/e/", "/i/v0/e", "/i/v0/e/"]
)
def test_an_event_alone_a_list_and_a_batch_are_accepted(serve: Serve, path: str) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    alone = {**capture("a"), "api_key": acme.key}
    of_properties = [capture("b", token=acme.key), capture("c")]
    assert ingress.post(path, alone).status_code == 200
    assert ingress.post(path, of_properties).status_code == 200
    body = gzip.compress(json.dumps({"token": acme.key, "batch": [capture("d")]}).encode())
    assert ingress.post(path, body, headers={"Content-Type": "text/plain"}).status_code == 200
    assert [e["event_id"] for e in queued(ingress)] == ["a", "b", "c", "d"]


def test_a_migration_of_the_past_is_history(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    body = {"api_key": acme.key, "batch": [capture("a")], "historical_migration": True}
    assert ingress.post("/batch/", body).status_code == 200
    assert queued(ingress)[0]["historical"] is True


@pytest.mark.parametrize("body", [{}, {"api_key": "wrong", "batch": []}, {"batch": []}, [7], []])
def test_without_a_valid_key_nothing_is_accepted(serve: Serve, body: Any) -> None:
    ingress = serve()
    answer = ingress.post("/batch/", body)
    assert (answer.status_code, "detail" in answer.get_json()) == (401, True)


@pytest.mark.parametrize("body", [b"", b"{", b"7", b'"x"', b'{"batch": {}}'])
def test_what_cannot_be_read_gets_400(serve: Serve, body: bytes) -> None:
    assert serve().post("/batch/", body).status_code == 400


def test_batches_may_be_larger_than_ours_up_to_five_megabytes(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    events = [capture(f"{n}", text="x" * 30_000) for n in range(40)]
    large = json.dumps({"api_key": acme.key, "batch": events}).encode()
    assert LARGEST_BATCH < len(large) < LARGEST
    client = DoorClient(ingress.door)
    headers = {"content-type": "application/json"}
    try:
        accepted, refused = client.post("/batch/", large, b" " * (LARGEST + 1), headers=headers)
    finally:
        client.close()
    assert (accepted.status, refused.status) == (200, 413)
    assert len(queued(ingress)) == 40


@pytest.mark.parametrize("path", ["/flags/?v=2", "/flags/?v=4", "/decide/?v=3", "/flags"])
def test_there_are_no_feature_flags(serve: Serve, path: str) -> None:
    answer = serve().post(path, {"api_key": "any", "distinct_id": "u1"})
    assert (answer.status_code, answer.get_json()["flags"]) == (200, {})
    assert serve().get("/api/feature_flag/local_evaluation?token=x").get_json()["flags"] == []
