"""Refused requests are sent again with the checks of now, and their own times and ids."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from config.settings import Settings
from ingress.again import SendingAgain, SentAgain
from ingress.client.errors import ApiError
from models.database import execute, transaction
from models.keys import api_keys
from models.keys.scopes import DEFAULT_SCOPES, Scope
from queues.refused.requests import RefusedRequest, RefusedRequests
from tests.support.ingress.application import (
    NOW,
    SMALL,
    EventSetting,
    Ingress,
    Serve,
    Tenant,
    configure,
    memory_used,
    tenant,
)
from tests.support.ingress.refusals import refusal

LATER = NOW + timedelta(hours=5)
UNKNOWN = {**SMALL, "event_key": "signup"}
BOTH = [EventSetting("onboarding_complete"), EventSetting("signup")]


class Refused:
    """An organization, what is kept of its refused requests, and sending them again."""

    def __init__(self, owner: Tenant, ingress: Ingress, settings: Settings) -> None:
        self.owner, self.ingress, self.settings = owner, ingress, settings
        self.requests = RefusedRequests(ingress.queue)

    def kept(self) -> list[RefusedRequest]:
        return list(self.requests.every(self.owner.id, NOW))[::-1]

    def send_all(self) -> list[SentAgain]:
        sending = SendingAgain.build(self.settings, self.ingress.queue, lambda: LATER)
        return list(sending.send(self.owner.id, self.kept()))

    def correct(self, **body: Any) -> SentAgain:
        """Send the oldest refused request again with another body."""
        sending = SendingAgain.build(self.settings, self.ingress.queue, lambda: LATER)
        return sending.correct(self.owner.id, self.kept()[0], json.dumps(body).encode())

    def queued(self) -> list[dict[str, Any]]:
        return self.ingress.queued_events()


@pytest.fixture
def refused(serve: Serve, settings: Settings) -> Refused:
    return Refused(tenant(), serve(), settings)


def reasons(results: list[SentAgain]) -> list[str | None]:
    return [result.reason for result in results]


def test_an_event_is_accepted_once_its_key_is_configured(refused: Refused) -> None:
    refused.ingress.track(UNKNOWN, refused.owner.key)
    assert reasons(refused.send_all()) == ["Event setting not found for key: signup"]
    assert len(refused.kept()) == 1
    configure(refused.owner.id, *BOTH)
    [result] = refused.send_all()
    [event] = refused.queued()
    assert result.error is None
    assert (event["event_key"], event["company"]) == ("signup", SMALL["company"])
    assert event["event_id"] == result.event_id
    assert event["key_id"] is None
    assert refused.kept() == []


@pytest.mark.parametrize(
    ("sent", "occurred_at"),
    [
        ({}, NOW),
        ({"timestamp": None}, NOW),
        ({"timestamp": "2024-01-02T03:04:05Z"}, datetime.fromisoformat("2024-01-02T03:04:05Z")),
        ({"timestamp": "2024-01-20T13:00:00Z"}, datetime.fromisoformat("2024-01-20T13:00:00Z")),
    ],
)
def test_an_event_keeps_its_time(
    refused: Refused, sent: dict[str, Any], occurred_at: datetime
) -> None:
    """The last one was refused for being more than an hour ahead, and no longer is."""
    refused.ingress.track({**UNKNOWN, **sent}, refused.owner.key)
    configure(refused.owner.id, *BOTH)
    refused.send_all()
    [event] = refused.queued()
    assert datetime.fromisoformat(event["occurred_at"]) == occurred_at
    assert datetime.fromisoformat(event["received_at"]) == LATER


def test_events_keep_their_ids(refused: Refused) -> None:
    header = {"Idempotency-Key": "h"}
    refused.ingress.track({**UNKNOWN, "event_id": "own"}, refused.owner.key, headers=header)
    refused.ingress.track(UNKNOWN, refused.owner.key, headers=header)
    refused.ingress.batch([SMALL, UNKNOWN], refused.owner.key, headers=header)
    refused.ingress.track(UNKNOWN, refused.owner.key)
    last = refused.kept()[-1].id
    configure(refused.owner.id, *BOTH)
    refused.send_all()
    ids = [event["event_id"] for event in refused.queued() if event["event_key"] == "signup"]
    assert ids == ["own", "h", "h/1", f"refused-{last}"]


def test_sending_the_same_request_twice_makes_the_same_event(refused: Refused) -> None:
    """As if the process ended between accepting and forgetting it."""
    refused.ingress.track(UNKNOWN, refused.owner.key)
    configure(refused.owner.id, *BOTH)
    kept = refused.kept()
    for _ in range(2):
        sending = SendingAgain.build(refused.settings, refused.ingress.queue, lambda: LATER)
        list(sending.send(refused.owner.id, kept))
    first, second = refused.queued()
    assert first["event_id"] == second["event_id"]


def test_what_is_still_wrong_is_refused_again_and_stays(refused: Refused) -> None:
    key = refused.owner.key
    refused.ingress.track({**SMALL, "company": {"id": "c1"}}, key)
    refused.ingress.track(b'{"event_key": ', key)
    refused.ingress.track(UNKNOWN, key, headers={"Idempotency-Key": "not an id"})
    refused.ingress.track(b"x" * 40_000, key)
    refused.ingress.batch({"events": []}, key)
    refused.ingress.batch([{**SMALL, "data": {"x": "y" * 40_000}}], key)
    configure(refused.owner.id, *BOTH)
    found = [str(reason).partition(" (")[0] for reason in reasons(refused.send_all())]
    assert found == [
        "Invalid data: company.name: Required",
        "Invalid JSON: unexpected end of data: line 1 column 15",
        "Invalid data: Idempotency-Key: Must not contain blanks",
        "Request body too large: An event is at most 32 KB",
        "A batch that was refused as a whole cannot be sent again: Mend the client that sends it",
        "Request body too large: Only its beginning is kept",
    ]
    assert len(refused.kept()) == 6
    assert refused.queued() == []


@pytest.mark.parametrize(
    ("first_id", "corrected", "event_id", "occurred_at"),
    [
        ("own", {}, "own", NOW),
        ("own", {"event_id": "other", "timestamp": "2024-01-02T03:04:05Z"}, "other",
         datetime.fromisoformat("2024-01-02T03:04:05Z")),
        ("not an id", {}, None, NOW),
        (None, {}, None, NOW),
    ],
)  # fmt: skip
def test_a_corrected_event_keeps_its_time_and_id_unless_it_has_others(
    refused: Refused,
    first_id: str | None,
    corrected: dict[str, Any],
    event_id: str | None,
    occurred_at: datetime,
) -> None:
    refused.ingress.track({**SMALL, "event_id": first_id, "company": {"id": 7}}, refused.owner.key)
    [request] = refused.kept()
    assert refused.correct(**SMALL, **corrected).error is None
    [event] = refused.queued()
    assert event["event_id"] == (event_id or f"refused-{request.id}")
    assert datetime.fromisoformat(event["occurred_at"]) == occurred_at
    assert refused.kept() == []


def test_a_correction_that_is_refused_changes_nothing(refused: Refused) -> None:
    refused.ingress.track({**SMALL, "company": {"id": "c1"}}, refused.owner.key)
    before = refused.kept()
    assert refused.correct(event_key="x").reason == "Invalid data: company: Required"
    assert (refused.correct(**SMALL, data={"x": "y" * 32_768}).reason or "").endswith("32 KB")
    assert (refused.kept(), refused.queued()) == (before, [])


def test_an_event_of_a_key_without_the_scope_is_accepted_once_it_has_it(refused: Refused) -> None:
    with transaction():
        reader = api_keys.create(refused.owner.id, "Reader", [Scope.READ])
    refused.ingress.track(SMALL, reader)
    [request] = refused.kept()
    [result] = refused.send_all()
    assert (result.reason or "").startswith("API key lacks the scope: send")
    with transaction():
        assert request.refusal.key_id
        api_keys.set_scopes(refused.owner.id, request.refusal.key_id, DEFAULT_SCOPES)
    assert reasons(refused.send_all()) == [None]
    assert len(refused.queued()) == 1


def test_a_request_of_an_unknown_form_says_so(refused: Refused) -> None:
    refused.requests.note(refused.owner.id, [refusal(form="of tomorrow")], NOW)
    assert reasons(refused.send_all()) == ["This release cannot send requests of this form again"]


def test_many_requests_are_sent_in_the_order_of_their_refusal(refused: Refused) -> None:
    for number in range(2):
        events = [{**UNKNOWN, "data": {"n": n}} for n in range(100 * number, 100 * number + 100)]
        refused.ingress.batch(events, refused.owner.key)
    configure(refused.owner.id, *BOTH)
    assert len(refused.send_all()) == 200
    assert [event["data"]["n"] for event in refused.queued()] == list(range(200))
    assert refused.kept() == []


def test_the_limit_of_clients_does_not_apply(serve: Serve, settings: Settings) -> None:
    refused = Refused(tenant(rate_limit="1/hour"), serve(), settings)
    refused.ingress.track(UNKNOWN, refused.owner.key)
    configure(refused.owner.id, *BOTH)
    assert reasons(refused.send_all()) == [None]


def test_while_redis_is_nearly_full_nothing_is_lost(refused: Refused) -> None:
    refused.ingress.track(UNKNOWN, refused.owner.key)
    configure(refused.owner.id, *BOTH)
    with memory_used(refused.ingress.queue, 0.9), pytest.raises(ApiError) as caught:
        refused.send_all()
    assert caught.value.status == 503
    assert len(refused.kept()) == 1
    assert refused.queued() == []


def test_a_removed_organization_accepts_nothing(refused: Refused) -> None:
    refused.ingress.track(UNKNOWN, refused.owner.key)
    with transaction():
        execute(
            "delete from event_settings where organization_id = %(id)s", {"id": refused.owner.id}
        )
    assert len(refused.send_all()) == len(refused.kept()) == 1
