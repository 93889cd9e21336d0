"""The ingress as `ingress/wsgi.py` builds it, on the real Redis and PostgreSQL."""

import io
import itertools
import json
import logging
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from werkzeug.test import TestResponse

from config.settings import Settings
from ingress.app import create_app
from ingress.client import directory
from ingress.track import LARGEST_EVENT
from models.database import connect, database, query, transaction
from models.keys import api_keys
from tests.support.ingress import (
    EXAMPLE,
    NO_REDIS,
    NOW,
    NOWHERE,
    SMALL,
    Clock,
    EventSetting,
    Ingress,
    Serve,
    check,
    check_unavailable,
    configure,
    error_of,
    memory_used,
    named,
    rate_limit_of,
    tenant,
)


def move_postgres(settings: Settings, database_url: str) -> None:
    """Let the application look for PostgreSQL somewhere else."""
    database.obj.close_all()
    connect(replace(settings, database_url=database_url), answer_within_ms=400)


@dataclass(frozen=True)
class Silent:
    """An address where connections are taken and nothing is ever answered."""

    url: str
    listener: socket.socket

    def connections(self) -> int:
        """How many there were since the last call."""
        self.listener.setblocking(False)
        for count in itertools.count():
            try:
                self.listener.accept()[0].close()
            except BlockingIOError:
                return count
        raise AssertionError("unreachable")


@pytest.fixture
def silent_redis() -> Iterator[Silent]:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/redis.sock")
        listener.listen(64)
        yield Silent(f"unix://{folder}/redis.sock?db=0", listener)


@pytest.fixture
def silent_postgres() -> Iterator[Silent]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        host, port = listener.getsockname()
        yield Silent(f"postgresql://postgres@{host}:{port}/postgres", listener)


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


# Accepting


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
    [message] = ingress.queued()
    assert (message["queue_name"], message["actor_name"]) == ("events", "persist")
    [[event]] = message["args"]
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


def test_a_system_event_is_queued_without_user_and_data_and_at_the_present(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    [event] = ingress.queued_events()
    assert (event["user"], event["data"]) == (None, None)
    assert event["occurred_at"] == event["received_at"] == NOW.isoformat()


def test_the_answer_tells_the_time_in_utc(serve: Serve) -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    ingress, acme = serve(now=lambda: NOW.astimezone(there)), tenant()
    accepted_at = ingress.track(SMALL, acme.key).get_json()["accepted_at"]
    assert accepted_at == "2024-01-20T10:30:05Z"


def test_every_accepted_event_is_queued_under_an_id_of_its_own_in_their_order(
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
def test_json_may_be_named_in_any_of_its_ways(serve: Serve, content_type: str) -> None:
    ingress, acme = serve(), tenant()
    headers = {"Content-Type": content_type, "Content-Encoding": "identity"}
    assert ingress.track(SMALL, acme.key, headers=headers).status_code == 200


def test_a_body_of_exactly_the_largest_size_is_accepted(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    body = json.dumps(SMALL).encode().ljust(LARGEST_EVENT)
    assert ingress.track(body, acme.key).status_code == 200
    assert len(ingress.queued()) == 1


def chunked(ingress: Ingress, body: io.BytesIO, key: str) -> TestResponse:
    """Send as a server passes on a request with chunks: no length, the stream ends itself."""
    with ingress.app.test_client() as client:
        return client.post(
            "/v1/track",
            input_stream=body,
            headers={"x-api-key": key, "Transfer-Encoding": "chunked"},
            content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},
        )


def test_an_event_in_chunks_is_accepted(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    assert chunked(ingress, io.BytesIO(json.dumps(SMALL).encode()), acme.key).status_code == 200
    body = io.BytesIO(json.dumps(SMALL).encode().ljust(LARGEST_EVENT))
    assert chunked(ingress, body, acme.key).status_code == 200
    assert len(ingress.queued()) == 2


# Refusing


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"x-api-key": "  "}])
def test_a_request_without_a_key_gets_401(serve: Serve, headers: dict[str, str]) -> None:
    ingress = serve()
    check(ingress.track(EXAMPLE, headers=headers), 401, {"error": "API key required"})
    assert ingress.queued() == []


@pytest.mark.parametrize(
    "key", ["nonsense", "bzb_" + "x" * 32, "é", "\xff\xfe", "x" * 10_000, "' or true --"]
)
def test_a_key_that_is_not_valid_gets_401(serve: Serve, key: str) -> None:
    ingress = serve()
    tenant()
    check(ingress.track(EXAMPLE, key), 401, {"error": "Invalid API key"})
    assert ingress.queued() == []


def test_a_key_is_valid_only_to_the_letter(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    for key in (acme.key[:-1], acme.key + "x", acme.key.upper(), f"Bearer {acme.key}"):
        check(ingress.track(EXAMPLE, key), 401, {"error": "Invalid API key"})


def test_an_event_that_is_not_configured_gets_404(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    check(
        ingress.track({**EXAMPLE, "event_key": "invalid_event"}, acme.key),
        404,
        {
            "error": "Event setting not found for key: invalid_event",
            "details": [
                {
                    "field": "event_key",
                    "message": "Event must be configured in Event Settings before tracking",
                }
            ],
        },
    )
    assert ingress.queued() == []


def test_event_keys_are_compared_to_the_letter(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=[EventSetting("été 😀")])
    assert ingress.track({**EXAMPLE, "event_key": "été 😀"}, acme.key).status_code == 200
    for other in ("ÉTÉ 😀", " été 😀", "été 😀 ", "e\u0301te\u0301 😀"):
        response = ingress.track({**EXAMPLE, "event_key": other}, acme.key)
        assert error_of(response) == (404, f"Event setting not found for key: {other}")


def test_a_disabled_event_gets_400(serve: Serve) -> None:
    ingress, acme = serve(), tenant(events=[EventSetting("deprecated_event", enabled=False)])
    check(
        ingress.track({**EXAMPLE, "event_key": "deprecated_event"}, acme.key),
        400,
        {"error": "Event setting is disabled for key: deprecated_event"},
    )
    assert ingress.queued() == []


def test_invalid_data_gets_400_with_every_fault(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    company = {"name": "Acme"}
    user = {"id": "user_456", "email": "john"}
    check(
        ingress.track({**EXAMPLE, "company": company, "user": user}, acme.key),
        400,
        {
            "error": "Invalid data",
            "details": [
                {"path": ["company", "id"], "message": "Required"},
                {"path": ["user", "email"], "message": "Invalid email"},
            ],
        },
    )
    assert ingress.queued() == []


@pytest.mark.parametrize("event", [[], [EXAMPLE], "text", 7, None, {}])
def test_json_that_is_no_event_gets_400(serve: Serve, event: Any) -> None:
    ingress, acme = serve(), tenant()
    assert error_of(ingress.track(event, acme.key)) == (400, "Invalid data")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"event_key=x",
        b'{"event_key":NaN}',
        b'{"event_key":"a","event_key":"b"}',
        b'{"event_key":"\\ud800"}',
        b'{"event_key":"\xff"}',
        b'{"event_key":1e999}',
        b"[" * LARGEST_EVENT,
        b"9" * LARGEST_EVENT,
    ],
)
def test_invalid_json_gets_400(serve: Serve, body: bytes) -> None:
    ingress, acme = serve(), tenant()
    response = ingress.track(body, acme.key)
    [fault] = response.get_json()["details"]
    check(response, 400, {"error": "Invalid JSON", "details": [fault]})
    assert fault["path"] == []
    assert fault["message"]
    assert ingress.queued() == []


def test_what_postgresql_could_not_store_gets_400(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    for event in (
        {**SMALL, "event_key": "a\x00"},
        {**SMALL, "data": {"a\x00": 1}},
        {**SMALL, "company": {"id": "c", "name": "n", "plan": ["\x00"]}},
        {**SMALL, "data": json.loads('{"a":' * 10 + "1" + "}" * 10)},
    ):
        response = ingress.track(event, acme.key)
        assert error_of(response) == (400, "Invalid data")
        assert response.get_json()["details"]


def test_a_body_that_breaks_off_gets_400(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    half = json.dumps(SMALL).encode()[:50]
    response = ingress.track(half, acme.key, environ_overrides={"CONTENT_LENGTH": "90"})
    assert error_of(response) == (400, "Invalid JSON")
    assert ingress.queued() == []


def test_a_route_that_does_not_exist_gets_404(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    with ingress.app.test_client() as client:
        for path in ("/", "/v1", "/v1/track/", "/v1/tracks", "/v2/track", "/v1/track%00", "/%ff"):
            response = client.post(path, json=SMALL, headers={"x-api-key": acme.key})
            check(response, 404, {"error": "Not found"})
    assert ingress.queued() == []


def test_no_files_are_served(serve: Serve) -> None:
    ingress = serve()
    with ingress.app.test_client() as client:
        check(client.get("/static/app.js"), 404, {"error": "Not found"})
        check(client.post("/static/app.js"), 404, {"error": "Not found"})


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_another_method_gets_405_and_the_allowed_ones(serve: Serve, method: str) -> None:
    ingress, acme = serve(), tenant()
    with ingress.app.test_client() as client:
        response = client.open(
            "/v1/track", method=method, json=SMALL, headers={"x-api-key": acme.key}
        )
    check(response, 405, {"error": "Method not allowed"})
    assert "POST" in response.headers["Allow"]
    assert method not in response.headers["Allow"]
    assert ingress.queued() == []


def test_browsers_of_other_origins_are_told_nothing(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    origin = {"Origin": "https://acme.com", "Access-Control-Request-Method": "POST"}
    with ingress.app.test_client() as client:
        asked = client.options("/v1/track", headers=origin)
    for response in (asked, ingress.track(SMALL, acme.key, headers=origin)):
        assert not named(response, "Access-Control")
        rate_limit_of(response)


TOO_LARGE = {
    "error": "Request body too large",
    "details": [{"message": "An event is at most 32 KB"}],
}


def test_a_body_that_is_said_to_be_too_large_gets_413(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    body = json.dumps(SMALL).encode().ljust(LARGEST_EVENT + 1)
    check(ingress.track(body, acme.key), 413, TOO_LARGE)
    said = {"CONTENT_LENGTH": "9" * 18}
    check(ingress.track(SMALL, acme.key, environ_overrides=said), 413, TOO_LARGE)
    assert ingress.queued() == []


def test_a_body_in_chunks_that_grows_too_large_gets_413_and_is_not_read_on(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    body = io.BytesIO(json.dumps(SMALL).encode().ljust(1_000_000))
    check(chunked(ingress, body, acme.key), 413, TOO_LARGE)
    assert body.tell() == LARGEST_EVENT + 1
    body = io.BytesIO(json.dumps(SMALL).encode().ljust(LARGEST_EVENT + 1))
    check(chunked(ingress, body, acme.key), 413, TOO_LARGE)
    assert ingress.queued() == []


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "text/json", "application/jsonp",
     "multipart/form-data; boundary=x", "application/vnd.api+json", "application/json, text/html"],
)  # fmt: skip
def test_another_content_type_gets_415(serve: Serve, content_type: str) -> None:
    ingress, acme = serve(), tenant()
    message = "Send the event as JSON, with Content-Type: application/json"
    check(
        ingress.track(SMALL, acme.key, headers={"Content-Type": content_type}),
        415,
        {"error": "Unsupported media type", "details": [{"message": message}]},
    )
    assert ingress.queued() == []


def test_an_unforeseen_error_gets_500_that_tells_nothing_and_is_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> datetime:
        raise RuntimeError("password=hunter2")

    ingress, acme = serve(now=fail), tenant()
    with caplog.at_level(logging.ERROR, logger="brazebee.ingress"):
        response = ingress.track(SMALL, acme.key)
    check(response, 500, {"error": "Internal server error"})
    assert "hunter2" not in response.text + str(response.headers)
    assert "hunter2" in caplog.text
    assert rate_limit_of(response)[1] == 9_999


# The order of the checks


def test_of_several_faults_the_first_check_answers(serve: Serve) -> None:
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
    assert len(ingress.queued()) == 1


def test_a_request_that_cannot_be_counted_gets_503_whatever_is_wrong_with_it(
    serve: Serve,
) -> None:
    ingress, acme = serve(queue_url=NO_REDIS), tenant()
    for body in (SMALL, b"{", {}, {**SMALL, "event_key": "unknown"}):
        check_unavailable(ingress.track(body, acme.key))


# The rate limit


def test_the_limit_is_10000_an_hour_and_counts_down(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    first, second = (rate_limit_of(ingress.track(SMALL, acme.key)) for _ in range(2))
    assert first[:2] == (10_000, 9_999)
    assert second[:2] == (10_000, 9_998)
    assert 3_590 < first[2] - time.time() <= 3_601
    assert abs(first[2] - second[2]) <= 1


def test_beyond_the_limit_there_is_429_until_the_window_ends(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="2/second")
    answers = [ingress.track(SMALL, acme.key) for _ in range(3)]
    refused = answers[-1]
    assert [response.status_code for response in answers] == [200, 200, 429]
    message = "At most 2 requests in a window; see Retry-After"
    check(refused, 429, {"error": "Rate limit exceeded", "details": [{"message": message}]})
    assert rate_limit_of(refused)[:2] == (2, 0)
    assert len(ingress.queued()) == 2
    time.sleep(int(refused.headers["Retry-After"]) + 0.05)
    assert ingress.track(SMALL, acme.key).status_code == 200


def test_retry_after_is_the_time_until_the_reset(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="1/hour")
    assert rate_limit_of(ingress.track(SMALL, acme.key))[:2] == (1, 0)
    refused = ingress.track(SMALL, acme.key)
    assert refused.status_code == 429
    wait = int(refused.headers["Retry-After"])
    assert 3_590 < wait <= 3_601
    assert abs(time.time() + wait - rate_limit_of(refused)[2]) <= 2


def test_every_answer_to_a_valid_key_counts_for_its_organization(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="9/hour")
    bodies = [SMALL, b"{", {}, {**SMALL, "event_key": "unknown"}]
    left = [rate_limit_of(ingress.track(body, acme.key))[1] for body in bodies]
    assert left == [8, 7, 6, 5]


def test_requests_at_once_do_not_get_past_the_limit(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="10/hour")
    with ThreadPoolExecutor(8) as threads:
        statuses = list(
            threads.map(lambda _: ingress.track(SMALL, acme.key).status_code, range(40))
        )
    assert sorted(statuses) == [200] * 10 + [429] * 30
    assert len(ingress.queued()) == 10


def test_requests_without_a_valid_key_share_a_limit_by_address(serve: Serve) -> None:
    ingress, acme = serve(rate_limit="3/hour"), tenant()
    left = [
        rate_limit_of(ingress.track(SMALL))[:2],
        rate_limit_of(ingress.track(SMALL, "bzb_guess1"))[:2],
        rate_limit_of(ingress.track(SMALL, "bzb_guess2"))[:2],
    ]
    assert left == [(3, 2), (3, 1), (3, 0)]
    for refused in (ingress.track(SMALL, "bzb_guess3"), ingress.track(SMALL)):
        assert error_of(refused) == (429, "Rate limit exceeded")
        assert rate_limit_of(refused)[:2] == (3, 0)
        assert 3_590 < int(refused.headers["Retry-After"]) <= 3_601
    assert rate_limit_of(ingress.track(SMALL, acme.key))[:2] == (3, 2)
    elsewhere = ingress.track(SMALL, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 401
    assert rate_limit_of(elsewhere)[:2] == (3, 2)


def test_requests_refused_before_their_key_is_looked_at_count_for_the_address(
    serve: Serve,
) -> None:
    ingress, acme = serve(rate_limit="9/hour"), tenant()
    large = b" " * (LARGEST_EVENT + 1)
    answers = [
        ingress.track(large, acme.key),
        ingress.track(SMALL, acme.key, headers={"Content-Type": "text/plain"}),
        ingress.get("/v1/track"),
        ingress.get("/nowhere"),
        ingress.track(SMALL),
    ]
    assert [response.status_code for response in answers] == [413, 415, 405, 404, 401]
    assert [rate_limit_of(response)[1] for response in answers] == [8, 7, 6, 5, 4]


def test_the_address_is_the_clients_only_behind_proxies_that_are_trusted(serve: Serve) -> None:
    direct, proxied = serve(rate_limit="9/hour"), serve(rate_limit="9/hour", trusted_proxies=1)

    def left(ingress: Ingress, forwarded_for: str) -> int:
        response = ingress.track(SMALL, headers={"X-Forwarded-For": forwarded_for})
        return rate_limit_of(response)[1]

    assert [left(direct, f"192.0.2.{n}") for n in range(3)] == [8, 7, 6]
    assert [left(proxied, f"192.0.2.{n}") for n in range(3)] == [8, 8, 8]
    assert left(proxied, "203.0.113.9, 192.0.2.0") == 7


# Organizations apart from each other


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


# What is remembered of PostgreSQL


def test_a_revoked_key_is_refused_within_5_seconds(serve: Serve, clock: Clock) -> None:
    ingress, acme = serve(), tenant()
    with transaction():
        other = api_keys.create(acme.id, "other")
    assert ingress.track(SMALL, acme.key).status_code == 200
    clock.advance(1)
    with transaction():
        assert api_keys.revoke(acme.id, api_keys.list_for_organization(acme.id)[0].id)
    clock.advance(4.9)
    check(ingress.track(SMALL, acme.key), 401, {"error": "Invalid API key"})
    assert ingress.track(SMALL, other).status_code == 200


def test_use_of_a_key_does_not_put_off_its_revocation(serve: Serve, clock: Clock) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    with transaction():
        api_keys.revoke(acme.id, api_keys.list_for_organization(acme.id)[0].id)
    for _ in range(5):
        clock.advance(1)
        last = ingress.track(SMALL, acme.key)
    assert last.status_code == 401


def test_a_new_limit_holds_within_5_seconds(serve: Serve, clock: Clock) -> None:
    ingress, acme = serve(), tenant()
    assert rate_limit_of(ingress.track(SMALL, acme.key))[0] == 10_000
    with transaction():
        query("update organizations set rate_limit = '20/hour'")
    clock.advance(5)
    assert rate_limit_of(ingress.track(SMALL, acme.key))[0] == 20


def test_a_newly_configured_event_is_taken_after_a_second(serve: Serve, clock: Clock) -> None:
    ingress, acme = serve(), tenant()
    added = {**SMALL, "event_key": "added"}
    assert ingress.track(SMALL, acme.key).status_code == 200
    assert ingress.track(added, acme.key).status_code == 404
    configure(acme.id, EventSetting("onboarding_complete"), EventSetting("added"))
    clock.advance(1)
    assert ingress.track(added, acme.key).status_code == 200


def test_the_first_event_of_an_organization_without_any_is_taken_after_a_second(
    serve: Serve, clock: Clock
) -> None:
    ingress, acme = serve(), tenant(events=())
    assert ingress.track(SMALL, acme.key).status_code == 404
    configure(acme.id, EventSetting("onboarding_complete"))
    clock.advance(1)
    assert ingress.track(SMALL, acme.key).status_code == 200


def test_a_newly_disabled_or_removed_event_is_refused_within_5_seconds(
    serve: Serve, clock: Clock
) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    configure(acme.id, EventSetting("onboarding_complete", enabled=False))
    clock.advance(5)
    assert ingress.track(SMALL, acme.key).status_code == 400
    configure(acme.id)
    clock.advance(5)
    assert ingress.track(SMALL, acme.key).status_code == 404


def test_known_keys_and_events_are_served_while_postgresql_is_away(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    move_postgres(settings, NOWHERE)
    for seconds in (0, 0.5, 5, 3_600, 0.9, 0.2):
        clock.advance(seconds)
        assert ingress.track(SMALL, acme.key).status_code == 200
    assert len(ingress.queued()) == 7


def test_an_unknown_key_gets_503_while_postgresql_is_away(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme = serve(), tenant()
    move_postgres(settings, NOWHERE)
    for _ in range(3):
        check_unavailable(ingress.track(SMALL, acme.key))
        check(ingress.track(SMALL), 401, {"error": "API key required"})
        clock.advance(0.7)
    assert ingress.queued() == []


def test_a_known_key_gets_503_while_its_events_cannot_be_read(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track({}, acme.key).status_code == 400
    move_postgres(settings, NOWHERE)
    clock.advance(10)
    check_unavailable(ingress.track(SMALL, acme.key))
    assert ingress.queued() == []


def test_a_second_after_postgresql_is_back_everything_is_as_before(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme = serve(), tenant()
    move_postgres(settings, NOWHERE)
    check_unavailable(ingress.track(SMALL, acme.key))
    move_postgres(settings, settings.database_url)
    clock.advance(1)
    assert ingress.track(SMALL, acme.key).status_code == 200
    assert ingress.track(SMALL, "bzb_wrong").status_code == 401


def test_a_key_that_was_revoked_while_postgresql_was_away_is_refused_after_it_is_back(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    with transaction():
        api_keys.revoke(acme.id, api_keys.list_for_organization(acme.id)[0].id)
    move_postgres(settings, NOWHERE)
    clock.advance(60)
    assert ingress.track(SMALL, acme.key).status_code == 200
    move_postgres(settings, settings.database_url)
    clock.advance(1)
    assert ingress.track(SMALL, acme.key).status_code == 401


def test_unknown_keys_do_not_push_known_ones_out(
    serve: Serve, clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "MAX_KEYS", 1)
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    for n in range(5):
        assert ingress.track(SMALL, f"bzb_{n}").status_code == 401
    move_postgres(settings, NOWHERE)
    clock.advance(10)
    assert ingress.track(SMALL, acme.key).status_code == 200


def test_connections_that_postgresql_ended_do_no_lasting_harm(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme, globex = serve(), tenant("Acme"), tenant("Globex")
    assert ingress.track(SMALL, acme.key).status_code == 200
    other = psycopg2.connect(settings.database_url)
    try:
        other.cursor().execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    finally:
        other.close()
    clock.advance(10)
    assert ingress.track(SMALL, acme.key).status_code == 200
    clock.advance(1)
    assert ingress.track(SMALL, globex.key).status_code == 200


def test_a_postgresql_that_is_too_slow_is_away(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme, globex = serve(), tenant("Acme"), tenant("Globex")
    assert ingress.track(SMALL, acme.key).status_code == 200
    blocker = psycopg2.connect(settings.database_url)
    try:
        blocker.cursor().execute("lock table api_keys, event_settings in access exclusive mode")
        with answered_within(2):
            check_unavailable(ingress.track(SMALL, globex.key))
        clock.advance(10)
        with answered_within(2):
            assert ingress.track(SMALL, acme.key).status_code == 200
    finally:
        blocker.close()
    clock.advance(1)
    assert ingress.track(SMALL, globex.key).status_code == 200


def test_a_postgresql_that_takes_connections_and_says_nothing_is_away(
    serve: Serve, clock: Clock, settings: Settings, silent_postgres: Silent
) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    move_postgres(settings, silent_postgres.url)
    clock.advance(10)
    with answered_within(5):
        assert ingress.track(SMALL, acme.key).status_code == 200
    assert silent_postgres.connections() > 0
    assert ingress.track(SMALL, acme.key).status_code == 200
    check_unavailable(ingress.track(SMALL, "bzb_unknown"))
    assert silent_postgres.connections() == 0


# Redis away


@pytest.fixture(params=["queue_url", "queue_url limits_url"])
def parts(request: pytest.FixtureRequest) -> list[str]:
    return str(request.param).split()


@pytest.fixture(params=["dead", "silent"])
def away(request: pytest.FixtureRequest, silent_redis: Silent, parts: list[str]) -> dict[str, str]:
    return dict.fromkeys(parts, NO_REDIS if request.param == "dead" else silent_redis.url)


def test_without_redis_there_is_503_soon_and_nothing_is_queued(
    serve: Serve, away: dict[str, str]
) -> None:
    ingress, acme = serve(**away), tenant()
    with answered_within(2):
        check_unavailable(ingress.track(SMALL, acme.key))
    assert ingress.queued() == []


def test_a_request_waits_for_a_redis_that_says_nothing_only_once(
    serve: Serve, silent_redis: Silent
) -> None:
    """Each wait takes a quarter of a second, and the answer is due within half a one."""
    ingress, acme = serve(queue_url=silent_redis.url, limits_url=silent_redis.url), tenant()
    check_unavailable(ingress.track(SMALL, acme.key))
    assert silent_redis.connections() == 1


@pytest.mark.parametrize("parts", [["limits_url"]])
def test_without_the_redis_of_addresses_events_are_accepted_and_keys_not_guessed(
    serve: Serve, away: dict[str, str]
) -> None:
    ingress, acme = serve(**away), tenant()
    with answered_within(2):
        assert ingress.track(SMALL, acme.key).status_code == 200
        check_unavailable(ingress.track(SMALL, "bzb_guess"))
    assert len(ingress.queued()) == 1


def test_without_redis_every_other_answer_has_its_headers_too(
    serve: Serve, away: dict[str, str]
) -> None:
    ingress, acme = serve(**away), tenant()
    with answered_within(4):
        large = ingress.track(b" " * (LARGEST_EVENT + 1), acme.key)
        text = ingress.track(SMALL, acme.key, headers={"Content-Type": "text/plain"})
        check(large, 413, TOO_LARGE)
        assert text.status_code == 415
        rate_limit_of(text)
        check(ingress.get("/nowhere"), 404, {"error": "Not found"})
        check(ingress.get("/v1/track"), 405, {"error": "Method not allowed"})


def test_a_redis_that_is_full_gets_503_and_nothing_is_queued(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    ingress.queue.config_set("maxmemory", 1)
    try:
        check_unavailable(ingress.track(SMALL, acme.key))
    finally:
        ingress.queue.config_set("maxmemory", 0)
    assert len(ingress.queued()) == 1
    assert ingress.track(SMALL, acme.key).status_code == 200


def test_before_redis_is_full_events_get_503_and_all_else_its_usual_answer(serve: Serve) -> None:
    acme = tenant(rate_limit="4/hour")
    ingress = serve()
    with memory_used(ingress.queue, 0.95):
        refused = ingress.track(SMALL, acme.key)
        check_unavailable(refused)
        assert rate_limit_of(refused)[:2] == (4, 3)
        assert ingress.track(b"{", acme.key).status_code == 400
        check_unavailable(ingress.batch([SMALL, {}], acme.key))
        assert ingress.batch([{}], acme.key).status_code == 200
        assert ingress.track(SMALL, acme.key).status_code == 429
    assert ingress.queued() == []


# Probes


def test_livez_touches_nothing() -> None:
    def never(*_args: Any) -> Any:
        raise AssertionError("touched")

    untouched: Any = SimpleNamespace(limiter=SimpleNamespace(count_address=never, unknown=never))
    app = create_app(untouched, now=never, redis=never, postgres=never)
    with app.test_client() as client:
        response = client.get("/livez")
    assert (response.status_code, response.json) == (200, {"status": "alive"})
    assert not named(response, "X-RateLimit")


@pytest.mark.parametrize(
    ("redis_is", "postgres_is", "code", "status"),
    [
        ("ok", "ok", 200, "ready"),
        ("ok", "down", 200, "degraded"),
        ("down", "ok", 503, "not ready"),
        ("down", "down", 503, "not ready"),
    ],
)
def test_readyz_names_each_dependency_and_its_state(
    serve: Serve, settings: Settings, redis_is: str, postgres_is: str, code: int, status: str
) -> None:
    ingress = serve(queue_url=settings.redis_url if redis_is == "ok" else NO_REDIS)
    if postgres_is == "down":
        move_postgres(settings, NOWHERE)
    response = ingress.get("/readyz")
    assert (response.status_code, response.json) == (
        code,
        {"status": status, "checks": {"redis": redis_is, "postgres": postgres_is}},
    )
    assert response.headers.get("Retry-After") == ("1" if code == 503 else None)
    assert not named(response, "X-RateLimit")


def test_readyz_answers_soon_when_nothing_answers_it(
    serve: Serve, settings: Settings, silent_redis: Silent, silent_postgres: Silent
) -> None:
    ingress = serve(queue_url=silent_redis.url)
    move_postgres(settings, silent_postgres.url)
    with answered_within(5):
        response = ingress.get("/readyz")
    assert response.get_json()["checks"] == {"redis": "down", "postgres": "down"}


def test_probes_do_not_count_against_the_limit_of_their_address(serve: Serve) -> None:
    ingress = serve(rate_limit="9/hour")
    for _ in range(3):
        assert ingress.get("/livez").status_code == 200
        assert ingress.get("/readyz").status_code == 200
    assert rate_limit_of(ingress.track(SMALL))[1] == 8
