"""What a key may do, and the two headers that may carry it."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from ingress.client.key_directory import FRESH_SECONDS
from models.database import transaction
from models.keys import api_keys
from models.keys.scopes import Scope
from tests.support.ingress.application import (
    NO_REDIS,
    SMALL,
    Clock,
    Ingress,
    Serve,
    Tenant,
    check,
    check_unavailable,
    error_of,
    rate_limit_of,
    tenant,
)
from tests.support.ingress.former_keys import add_key_as_the_release_before

PATHS = ("/v1/track", "/v1/track/batch")
VIEW = {"Content-Type": "application/json; charset=utf-8"}
"""A header with which the view handles an event, instead of the fast path."""


def post(ingress: Ingress, path: str, key: str | None = None, **options: Any) -> TestResponse:
    body = {"events": [SMALL]} if path.endswith("batch") else SMALL
    return ingress.post(path, body, key, **options)


def create(acme: Tenant, *scopes: Scope) -> tuple[int, str]:
    """Create a key of the tenant, and return its id with it."""
    with transaction():
        key = api_keys.create(acme.id, "a key", scopes)
        return api_keys.list_for_organization(acme.id)[-1].id, key


@pytest.mark.parametrize("headers", [{}, VIEW], ids=["fast path", "view"])
@pytest.mark.parametrize("path", PATHS)
def test_a_key_without_the_scope_is_refused_with_what_to_do(
    serve: Serve, path: str, headers: dict[str, str]
) -> None:
    ingress, acme = serve(), tenant()
    key_id, key = create(acme, Scope.MANAGE, Scope.READ)
    refused = post(ingress, path, key, headers=headers)
    message = (
        "The scopes of this key are: read, manage. An administrator can add send in the dashboard"
        f" under Settings, API keys, or with `brazebee keys set-scopes {key_id} --scope read"
        " --scope manage --scope send`, or create another key"
    )
    error = "API key lacks the scope: send"
    check(refused, 403, {"error": error, "details": [{"scope": "send", "message": message}]})
    assert ingress.queued_events() == []


@pytest.mark.parametrize("path", PATHS)
def test_a_request_without_the_scope_counts_once_for_its_organization(
    serve: Serve, path: str
) -> None:
    ingress, acme = serve(), tenant(rate_limit="2/hour")
    _, reader = create(acme, Scope.READ)
    answers = [post(ingress, path, reader) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert [rate_limit_of(answer)[1] for answer in answers] == [1, 0, 0]
    assert post(ingress, path, acme.key).status_code == 429


def test_a_request_without_the_scope_is_503_when_it_cannot_be_counted(serve: Serve) -> None:
    ingress = serve(queue_url=NO_REDIS)
    _, reader = create(tenant(), Scope.READ)
    check_unavailable(post(ingress, "/v1/track", reader))


def test_changed_scopes_take_effect_within_seconds(serve: Serve, clock: Clock) -> None:
    ingress, acme = serve(), tenant()
    key_id, key = create(acme, Scope.SEND)
    assert post(ingress, "/v1/track", key).status_code == 200
    with transaction():
        api_keys.set_scopes(acme.id, key_id, [Scope.READ])
    clock.advance(FRESH_SECONDS)
    assert post(ingress, "/v1/track", key).status_code == 403
    with transaction():
        api_keys.set_scopes(acme.id, key_id, [Scope.READ, Scope.SEND])
    clock.advance(FRESH_SECONDS)
    assert post(ingress, "/v1/track", key).status_code == 200


def test_a_key_that_the_release_before_creates_sends_and_reads(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    key = add_key_as_the_release_before(acme.id, "former")
    assert post(ingress, "/v1/track", key).status_code == 200
    with transaction():
        holder = api_keys.find_holder(api_keys.digest(key))
    assert holder is not None
    assert holder.scopes == (Scope.SEND, Scope.READ)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER  "])
def test_the_key_may_be_a_bearer_token(serve: Serve, path: str, scheme: str) -> None:
    ingress, acme = serve(), tenant()
    headers = {"Authorization": f"{scheme} {acme.key}"}
    assert post(ingress, path, headers=headers).status_code == 200
    assert post(ingress, path, headers=headers | {"x-api-key": " "}).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_x_api_key_takes_precedence_over_a_bearer_token(serve: Serve, path: str) -> None:
    ingress, acme = serve(), tenant()
    gateways_own = {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}
    assert post(ingress, path, acme.key, headers=gateways_own).status_code == 200
    bearer = {"Authorization": f"Bearer {acme.key}"}
    refused = post(ingress, path, "bzb_wrong", headers=bearer)
    assert error_of(refused) == (401, "Invalid API key")


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        ("Bearer bzb_wrong", "Invalid API key"),
        ("Bearer \xff\xfe", "Invalid API key"),
        ("Bearer", "API key required"),
        ("Bearer  ", "API key required"),
        ("Basic {key}", "API key required"),
        ("{key}", "API key required"),
        ("Bearer{key}", "API key required"),
        ("Token Bearer {key}", "API key required"),
    ],
)
def test_any_other_authorization_is_refused(serve: Serve, authorization: str, error: str) -> None:
    ingress, acme = serve(), tenant()
    headers = {"Authorization": authorization.replace("{key}", acme.key)}
    assert error_of(post(ingress, "/v1/track", headers=headers)) == (401, error)
