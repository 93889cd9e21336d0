"""Refused calls of other products, and refused updates, are sent again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from config.settings import Settings
from ingress.again import SendingAgain, SentAgain
from queues.refused.requests import RefusedRequests
from tests.support.ingress.application import (
    NOW,
    EventSetting,
    Ingress,
    Serve,
    Tenant,
    configure,
    tenant,
)
from tests.support.ingress.sdk_requests import (
    EVENTS,
    call,
    capture,
    kept,
    queued,
    send_batch,
    track,
)

LATER = NOW + timedelta(hours=5)
SENT = datetime(2024, 1, 20, 12, 30, 5, tzinfo=UTC).isoformat()
"""By a clock that is two hours ahead."""


def send_again(ingress: Ingress, owner: Tenant, settings: Settings) -> list[SentAgain]:
    sending = SendingAgain.build(settings, ingress.queue, lambda: LATER)
    requests = list(RefusedRequests(ingress.queue).every(owner.id, NOW))[::-1]
    return list(sending.send(owner.id, requests))


def test_calls_are_accepted_once_their_names_are_configured(
    serve: Serve, settings: Settings
) -> None:
    ingress, acme = serve(), tenant(events=())
    timestamp = {"timestamp": "2024-01-20T12:20:05Z"}
    send_batch(ingress, acme.key, [{**track("s-1"), **timestamp}], sentAt=SENT)
    send_batch(ingress, acme.key, [{**track("s-2"), **timestamp}], "/v1/import", sentAt=SENT)
    events = [{**capture("p-1"), **timestamp}]
    batch = {"api_key": acme.key, "batch": events, "sent_at": SENT, "historical_migration": True}
    ingress.post("/batch/", batch)
    cloud = {"specversion": "1.0", "type": "Report Created", "companyid": "acme"}
    ingress.post("/v1/cloudevents", cloud, acme.key)
    assert len(kept(ingress, acme)) == 4
    configure(acme.id, *EVENTS)
    results = send_again(ingress, acme, settings)
    assert [result.error for result in results] == [None] * 4
    found: dict[str, Any] = {event["event_id"]: event for event in queued(ingress)}
    assert [*found][:3] == ["s-1", "s-2", "p-1"]
    assert [*found][3].startswith("refused-")
    at = "2024-01-20T10:20:05.123456+00:00"
    assert [event["occurred_at"] for event in found.values()] == [at] * 3 + [NOW.isoformat()]
    assert [event.get("historical") for event in found.values()] == [None, True, True, None]
    assert {event["event_key"] for event in found.values()} == {"report_created"}
    assert kept(ingress, acme) == []


def test_corrected_calls_keep_their_ids(serve: Serve, settings: Settings) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    send_batch(ingress, acme.key, [call("track", "s-1", event="Typo", context={"groupId": "acme"})])
    ingress.post("/v1/companies/batch", {"companies": [{"company": {"name": "x"}}]}, acme.key)
    sending = SendingAgain.build(settings, ingress.queue, lambda: LATER)
    company, of_track = RefusedRequests(ingress.queue).every(acme.id, NOW)
    corrected = {"type": "track", "event": "Report Created", "context": {"groupId": "acme"}}
    assert sending.correct(acme.id, of_track, orjson.dumps(corrected)).event_id == "s-1"
    assert sending.correct(acme.id, company, b'{"company": {"id": "c1"}}').error is None
    event, update = queued(ingress)
    assert (event["event_id"], event["occurred_at"]) == ("s-1", NOW.isoformat())
    assert (update["company"]["id"], update["occurred_at"]) == ("c1", NOW.isoformat())
    assert kept(ingress, acme) == []


def test_events_of_a_batch_about_the_past_stay_history(serve: Serve, settings: Settings) -> None:
    ingress, acme = serve(), tenant(events=())
    event = {"event_key": "login", "company": {"id": "acme", "name": "Acme"}}
    ingress.batch({"events": [event], "historical": True}, acme.key)
    configure(acme.id, EventSetting("login"))
    assert [result.error for result in send_again(ingress, acme, settings)] == [None]
    assert queued(ingress)[0]["historical"] is True


def test_what_is_still_wrong_is_refused_again(serve: Serve, settings: Settings) -> None:
    ingress, acme = serve(), tenant(events=EVENTS)
    send_batch(ingress, acme.key, [call("group", "g", groupId=[]), 7])
    ingress.post("/v1/companies/batch", {"companies": [{"company": {"name": "x"}}, 7]}, acme.key)
    results = send_again(ingress, acme, settings)
    assert [result.reason for result in results] == [
        "Invalid data: groupId: An id is a text or a whole number, not a list",
        "Invalid data: A call is an object, and this is a number",
        "Invalid data: company.id: Required",
        "Invalid data: Expected object, received number",
    ]
    assert len(kept(ingress, acme)) == 4
