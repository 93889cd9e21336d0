"""The ingress as `ingress/wsgi.py` builds it, on the real Redis and PostgreSQL."""

import io
import json
from datetime import timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from ingress.event.valid_event import LARGEST_EVENT
from models.database import transaction
from models.keys import api_keys
from tests.support.ingress.application import (
    EXAMPLE,
    NO_REDIS,
    NOW,
    SMALL,
    EventSetting,
    Serve,
    check,
    check_unavailable,
    rate_limit_of,
    tenant,
)
from tests.support.ingress.outages import chunked


def test_the_example_of_the_documentation_is_accepted_and_queued(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    response = ingress.track(EXAMPLE, acme.key)
    event_id = response.get_json()["event_id"]
    check(
        response,
        200,
        {
            "success": True,
            "event_key": "onboarding_complete",
            "accepted_at": "2024-01-20T10:30:05Z",
            "event_id": event_id,
        },
    )
    assert UUID(event_id).version == 7
    [event] = ingress.queued_events()
    assert event.pop("key_id") > 0
    assert event == {
        "organization_id": acme.id,
        "event_id": event_id,
        "event_key": "onboarding_complete",
        "company": EXAMPLE["company"],
        "user": EXAMPLE["user"],
        "data": EXAMPLE["data"],
        "occurred_at": "2024-01-20T10:30:00+00:00",
        "received_at": "2024-01-20T10:30:05.123456+00:00",
    }


def test_a_system_event_is_queued_without_user_and_data_at_the_current_time(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    [event] = ingress.queued_events()
    assert (event["user"], event["data"]) == (None, None)
    assert event["occurred_at"] == event["received_at"] == NOW.isoformat()


def test_the_time_in_the_response_is_in_utc(serve: Serve) -> None:
    local = timezone(timedelta(hours=5, minutes=30))
    ingress, acme = serve(now=lambda: NOW.astimezone(local)), tenant()
    accepted_at = ingress.track(SMALL, acme.key).get_json()["accepted_at"]
    assert accepted_at == "2024-01-20T10:30:05Z"


def test_accepted_events_are_queued_in_order_with_ids_of_their_own(
    serve: Serve,
) -> None:
    ingress, acme = serve(), tenant()
    ids = [ingress.track(EXAMPLE, acme.key).get_json()["event_id"] for _ in range(20)]
    assert sorted(set(ids)) == ids
    assert [event["event_id"] for event in ingress.queued_events()] == ids


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"],
)
def test_any_content_type_of_json_is_accepted(serve: Serve, content_type: str) -> None:
    ingress, acme = serve(), tenant()
    headers = {"Content-Type": content_type, "Content-Encoding": "identity"}
    assert ingress.track(SMALL, acme.key, headers=headers).status_code == 200


def test_a_body_of_exactly_the_largest_size_is_accepted(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    body = json.dumps(SMALL).encode().ljust(LARGEST_EVENT)
    assert ingress.track(body, acme.key).status_code == 200
    assert len(ingress.queued_events()) == 1


def test_a_chunked_event_is_accepted(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    assert chunked(ingress, io.BytesIO(json.dumps(SMALL).encode()), acme.key).status_code == 200
    body = io.BytesIO(json.dumps(SMALL).encode().ljust(LARGEST_EVENT))
    assert chunked(ingress, body, acme.key).status_code == 200
    assert len(ingress.queued_events()) == 2


def test_the_first_failed_check_decides_the_response(serve: Serve) -> None:
    events = [EventSetting("off", enabled=False), EventSetting("onboarding_complete")]
    acme = tenant(rate_limit="5/hour", events=events)
    ingress = serve()
    text = {"Content-Type": "text/plain"}
    large = b"{".ljust(LARGEST_EVENT + 1)
    unknown: dict[str, Any] = {**SMALL, "event_key": "unknown"}
    disabled: dict[str, Any] = {**SMALL, "event_key": "off"}
    answers = [
        ingress.track(large, "wrong", headers=text),
        ingress.track(b"{", "wrong", headers=text),
        ingress.track(b"{", "wrong"),
        ingress.track(b"{", acme.key),
        ingress.track({**unknown, "company": {}}, acme.key),
        ingress.track(unknown, acme.key),
        ingress.track(disabled, acme.key),
        ingress.track(SMALL, acme.key),
        ingress.track(b"{", acme.key),
        ingress.track(b"{", "wrong"),
    ]
    assert [response.status_code for response in answers] == [
        413, 415, 401, 400, 400, 404, 400, 200, 429, 401,
    ]  # fmt: skip
    assert [response.get_json()["error"] for response in answers[3:7]] == [
        "Invalid JSON",
        "Invalid data",
        "Event setting not found for key: unknown",
        "Event setting is disabled for key: off",
    ]
    assert len(ingress.queued_events()) == 1


def test_a_request_that_cannot_be_counted_gets_503_whatever_else_is_wrong(
    serve: Serve,
) -> None:
    ingress, acme = serve(queue_url=NO_REDIS), tenant()
    for body in (SMALL, b"{", {}, {**SMALL, "event_key": "unknown"}):
        check_unavailable(ingress.track(body, acme.key))


def test_an_organization_has_its_own_event_settings(serve: Serve) -> None:
    ingress = serve()
    acme = tenant("Acme", events=[EventSetting("shared"), EventSetting("secret")])
    globex = tenant("Globex", events=[EventSetting("shared", enabled=False)])

    def status(event_key: str, key: str) -> int:
        return ingress.track({**SMALL, "event_key": event_key}, key).status_code

    assert [status("shared", acme.key), status("secret", acme.key)] == [200, 200]
    assert [status("shared", globex.key), status("secret", globex.key)] == [400, 404]
    assert {event["organization_id"] for event in ingress.queued_events()} == {acme.id}


def test_an_organization_has_its_own_limit_whichever_key_it_uses(serve: Serve) -> None:
    ingress = serve(rate_limit="7/hour")
    acme, globex = tenant("Acme", rate_limit="2/hour"), tenant("Globex")
    with transaction():
        another_key = api_keys.create(acme.id, "another")
    assert rate_limit_of(ingress.track(SMALL, acme.key))[:2] == (2, 1)
    assert rate_limit_of(ingress.track(SMALL, another_key))[:2] == (2, 0)
    assert ingress.track(SMALL, acme.key).status_code == 429
    assert ingress.track(SMALL, another_key).status_code == 429
    assert rate_limit_of(ingress.track(SMALL, globex.key))[:2] == (7, 6)
    queued_for = [event["organization_id"] for event in ingress.queued_events()]
    assert queued_for == [acme.id, acme.id, globex.id]
