"""Requests that are refused, and the error that each one gets."""

import io
import json
import logging
from datetime import datetime
from typing import Any

import pytest

from ingress.event.valid_event import LARGEST_EVENT
from tests.support.ingress.application import (
    EXAMPLE,
    SMALL,
    EventSetting,
    Serve,
    check,
    error_of,
    named,
    rate_limit_of,
    tenant,
)
from tests.support.ingress.outages import TOO_LARGE, chunked


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"x-api-key": "  "}])
def test_a_request_without_a_key_gets_401(serve: Serve, headers: dict[str, str]) -> None:
    ingress = serve()
    response = ingress.track(EXAMPLE, headers=headers)
    check(response, 401, {"error": "API key required"})
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert ingress.queued_events() == []


@pytest.mark.parametrize(
    "key", ["nonsense", "bzb_" + "x" * 32, "é", "\xff\xfe", "x" * 10_000, "' or true --"]
)
def test_a_key_that_is_not_valid_gets_401(serve: Serve, key: str) -> None:
    ingress = serve()
    tenant()
    check(ingress.track(EXAMPLE, key), 401, {"error": "Invalid API key"})
    assert ingress.queued_events() == []


def test_a_key_must_match_exactly(serve: Serve) -> None:
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
    assert ingress.queued_events() == []


def test_event_keys_must_match_exactly(serve: Serve) -> None:
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
    assert ingress.queued_events() == []


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
    assert ingress.queued_events() == []


@pytest.mark.parametrize("event", [[], [EXAMPLE], "text", 7, None, {}])
def test_json_that_is_not_an_event_gets_400(serve: Serve, event: Any) -> None:
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
    assert ingress.queued_events() == []


def test_values_that_postgresql_cannot_store_get_400(serve: Serve) -> None:
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


def test_a_body_that_ends_early_gets_400(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    half = json.dumps(SMALL).encode()[:50]
    response = ingress.track(half, acme.key, environ_overrides={"CONTENT_LENGTH": "90"})
    assert error_of(response) == (400, "Invalid JSON")
    assert ingress.queued_events() == []


def test_a_route_that_does_not_exist_gets_404(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    with ingress.app.test_client() as client:
        for path in ("/", "/v1", "/v1/track/", "/v1/tracks", "/v2/track", "/v1/track%00", "/%ff"):
            response = client.post(path, json=SMALL, headers={"x-api-key": acme.key})
            check(response, 404, {"error": "Not found"})
    assert ingress.queued_events() == []


def test_no_files_are_served(serve: Serve) -> None:
    ingress = serve()
    with ingress.app.test_client() as client:
        check(client.get("/static/app.js"), 404, {"error": "Not found"})
        check(client.post("/static/app.js"), 404, {"error": "Not found"})


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_another_method_gets_405_with_the_allowed_ones(serve: Serve, method: str) -> None:
    ingress, acme = serve(), tenant()
    with ingress.app.test_client() as client:
        response = client.open(
            "/v1/track", method=method, json=SMALL, headers={"x-api-key": acme.key}
        )
    check(response, 405, {"error": "Method not allowed"})
    assert "POST" in response.headers["Allow"]
    assert method not in response.headers["Allow"]
    assert ingress.queued_events() == []


def test_browsers_of_other_origins_get_no_cors_headers(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    origin = {"Origin": "https://acme.com", "Access-Control-Request-Method": "POST"}
    with ingress.app.test_client() as client:
        preflight = client.options("/v1/track", headers=origin)
    for response in (preflight, ingress.track(SMALL, acme.key, headers=origin)):
        assert not named(response, "Access-Control")
        rate_limit_of(response)


def test_a_body_with_a_content_length_that_is_too_large_gets_413(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    body = json.dumps(SMALL).encode().ljust(LARGEST_EVENT + 1)
    check(ingress.track(body, acme.key), 413, TOO_LARGE)
    length = {"CONTENT_LENGTH": "9" * 18}
    check(ingress.track(SMALL, acme.key, environ_overrides=length), 413, TOO_LARGE)
    assert ingress.queued_events() == []


def test_a_chunked_body_that_grows_too_large_gets_413_and_is_read_no_further(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    body = io.BytesIO(json.dumps(SMALL).encode().ljust(1_000_000))
    check(chunked(ingress, body, acme.key), 413, TOO_LARGE)
    assert body.tell() == LARGEST_EVENT + 1
    body = io.BytesIO(json.dumps(SMALL).encode().ljust(LARGEST_EVENT + 1))
    check(chunked(ingress, body, acme.key), 413, TOO_LARGE)
    assert ingress.queued_events() == []


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "text/json", "application/jsonp",
     "multipart/form-data; boundary=x", "text/vnd.api+json", "application/json, text/html"],
)  # fmt: skip
def test_any_other_content_type_gets_415(serve: Serve, content_type: str) -> None:
    ingress, acme = serve(), tenant()
    message = "Send the event as JSON, with Content-Type: application/json"
    check(
        ingress.track(SMALL, acme.key, headers={"Content-Type": content_type}),
        415,
        {"error": "Unsupported media type", "details": [{"message": message}]},
    )
    assert ingress.queued_events() == []


def test_an_unexpected_error_gets_500_without_details_and_is_logged(
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
