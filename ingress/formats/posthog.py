"""The endpoints of PostHog's SDKs: events, and the flags that they ask for."""

from typing import Any

from flask import Response

from formats import posthog
from ingress.client.answers import json_answer
from ingress.client.errors import ApiError
from ingress.client.headers import Headers
from ingress.event.fields import expected
from ingress.formats.form import Form, Sent

LARGEST = 5 * 1024 * 1024
"""Bytes of a request body; the SDKs send up to 5 MB."""

NAME = "posthog"

EVENTS = ("/batch", "/capture", "/e", "/i/v0/e", "/i/v0/ai/batch")

HISTORICAL = "historical_migration"
"""The member of a batch about the past."""

FLAGS = ("/flags", "/decide")

LOCAL_FLAGS = ("/flags/definitions", "/api/feature_flag/local_evaluation")


def _unpack(body: Any, _headers: Headers) -> Sent:
    """Return the events of a body: a batch, a list, or a single event."""
    if isinstance(body, list):
        return Sent(body, True, next((key for key in map(_key_in, body) if key), ""))
    if not isinstance(body, dict):
        raise _invalid([], expected("object", body))
    if "batch" not in body:
        return Sent([body], False, _key_in(body), body.get("sent_at"))
    events = body["batch"]
    if not isinstance(events, list):
        raise _invalid(["batch"], expected("array", events))
    historical = body.get(HISTORICAL) is True
    return Sent(events, True, _key_in(body), body.get("sent_at"), historical)


def _key_in(body: Any) -> str:
    """Return the API key in a body or in the properties of an event; empty without one."""
    if not isinstance(body, dict):
        return ""
    properties = body.get("properties")
    places = [body.get("api_key"), body.get("token")]
    if isinstance(properties, dict):
        places.append(properties.get("token"))
    return next((key.strip() for key in places if isinstance(key, str) and key.strip()), "")


def _common(sent: Sent) -> dict[str, Any]:
    sent_at = {} if sent.sent_at is None else {"sent_at": sent.sent_at}
    return {**sent_at, HISTORICAL: True} if sent.historical else sent_at


def _invalid(path: list[str], message: str) -> ApiError:
    return ApiError(400, "Invalid data", [{"path": path, "message": message}])


FORMS = tuple(
    Form(NAME, path, _unpack, posthog.read, LARGEST, {"status": "Ok"}, _common)
    for name in EVENTS
    for path in (name, f"{name}/")
)


def no_flags() -> Response:
    """Answer a question for feature flags: there are none."""
    return json_answer(
        {
            "flags": {},
            "featureFlags": {},
            "featureFlagPayloads": {},
            "errorsWhileComputingFlags": False,
        }
    )


def no_local_flags() -> Response:
    """Answer a question for the definitions of feature flags: there are none."""
    return json_answer({"flags": [], "group_type_mapping": {}, "cohorts": {}})
