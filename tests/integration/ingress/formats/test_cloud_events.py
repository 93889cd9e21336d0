"""`POST /v1/cloudevents`: structured, in batches and binary."""

import json
from typing import Any

import pytest

from tests.support.ingress.application import Serve, check, tenant
from tests.support.ingress.sdk_requests import EVENTS, entry, kept, queued, unknown_names

EVENT = {
    "specversion": "1.0",
    "id": "aa9ecdc7-9c41-464a-afe8-cb2611c8b035",
    "source": "/app",
    "type": "report_created",
    "time": "2024-01-20T10:30:00Z",
    "data": {"company": {"id": "acme"}, "user": {"id": "u1"}, "k": 1},
}
STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
BINARY = {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"}


@pytest.mark.parametrize("path", ["/v1/cloudevents", "/v1/track"])
def test_an_event_is_accepted_in_each_mode(serve: Serve, path: str) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    answers = [
        ingress.post(path, EVENT, acme.key, headers=STRUCTURED),
        ingress.post(path, EVENT["data"], acme.key, headers=BINARY),
    ]
    for answer in answers:
        check(answer, 200, {"success": True, "accepted": 1, "rejected": 0})
    made = entry(
        acme,
        event_id=EVENT["id"],
        event_key="report_created",
        company={"id": "acme"},
        user={"id": "u1"},
        data={"k": 1, "source": "/app"},
    )
    assert queued(ingress) == [made, made]


def test_a_refused_event_of_a_batch_costs_no_other(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    events = [EVENT, {**EVENT, "type": "deal.won"}, {**EVENT, "data": {}}, 7]
    answer = ingress.post("/v1/cloudevents", events, acme.key, headers=BATCH)
    assert (answer.status_code, answer.get_json()["accepted"]) == (200, 1)
    assert unknown_names(ingress, acme) == {"deal.won": 1}
    assert [(r.form, r.status) for r in kept(ingress, acme)] == [
        ("cloudevents", 404),
        ("cloudevents", 400),
        ("cloudevents", 400),
    ]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({**EVENT, "type": "deal.won"}, STRUCTURED),
        ({**EVENT, "data_base64": "eA=="}, STRUCTURED),
        (b"<xml>", BINARY),
        ([1], STRUCTURED | BINARY | {"ce-specversion": "9"}),
    ],
)
def test_a_single_event_that_is_refused_gets_400(serve: Serve, body: Any, headers: Any) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    answer = ingress.post("/v1/cloudevents", body, acme.key, headers=headers)
    if not isinstance(body, list):
        assert answer.status_code == 400
        assert len(kept(ingress, acme)) == 1
    assert queued(ingress) == []
    assert ingress.post("/v1/cloudevents", json.dumps(EVENT).encode()).status_code == 401
