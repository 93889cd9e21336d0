"""Fields of companies and users without an event."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from models.database import transaction
from models.keys import api_keys
from models.keys.scopes import Scope
from tests.support.ingress.application import NOW, Ingress, Serve, check, rate_limit_of, tenant
from tests.support.ingress.sdk_requests import entry, kept, queued, unresolved

AT = "2024-01-20T10:30:00Z"


def put(ingress: Ingress, path: str, body: Any, key: str | None = None) -> TestResponse:
    headers = {"Content-Type": "application/json"} | ({"x-api-key": key} if key else {})
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    with ingress.app.test_client() as client:
        return client.put(path, data=sent, headers=headers)


def test_fields_of_a_company_are_put(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    fields = {"plan": "Pro", "seats": 4}
    answer = put(ingress, "/v1/companies/acme", {"company": fields, "timestamp": AT}, acme.key)
    check(answer, 200, {"success": True, "id": "acme", "accepted_at": "2024-01-20T10:30:05Z"})
    assert queued(ingress) == [entry(acme, company={**fields, "id": "acme"})]


def test_fields_of_a_user_are_put_with_or_without_a_company(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    user = {"email": "a@b.example", "name": None}
    alone = {"user": user, "timestamp": AT}
    assert put(ingress, "/v1/users/u1", alone, acme.key).status_code == 200
    belonging = {**alone, "company": {"id": "acme", "name": "Acme"}}
    assert put(ingress, "/v1/users/u1", belonging, acme.key).status_code == 200
    merged = {**user, "id": "u1"}
    assert unresolved(ingress, acme) == [entry(acme, user=merged)]
    assert entry(acme, user=merged, company={"id": "acme", "name": "Acme"}) in queued(ingress)


@pytest.mark.parametrize("written", ["a/b c", "ü%", "batch", "c1/health", "/a//b/", "a\nb"])
def test_an_id_in_a_path_may_have_any_characters(serve: Serve, written: str) -> None:
    ingress, acme = serve(), tenant()
    with ingress.app.test_client() as client:
        answer = client.put(
            f"/v1/companies/{quote(written, safe='')}",
            json={"company": {"id": written}},
            headers={"x-api-key": acme.key},
        )
    assert answer.get_json()["id"] == written
    assert queued(ingress)[0]["company"] == {"id": written}


def test_an_id_in_a_path_is_utf_8(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    answer = put(ingress, "/v1/companies/%ff", {"company": {}}, acme.key)
    assert answer.get_json()["details"][0]["message"].endswith("has to be UTF-8, percent-encoded")


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ([], [[]]),
        ({}, [["company"]]),
        ({"company": 7}, [["company"]]),
        ({"company": {"id": "other"}}, [["company", "id"]]),
        (
            {"company": {"name": 7, "crm_provider": []}},
            [["company", "name"], ["company", "crm_provider"]],
        ),
        ({"company": {}, "timestamp": "soon"}, [["timestamp"]]),
        (
            {"company": {"name": 7}, "timestamp": "2024-01-20T12:00:00Z"},
            [["company", "name"], ["timestamp"]],
        ),
        ({"company": {"a": "\0"}}, [["company", "a"]]),
        (b"{", [[]]),
    ],
)
def test_every_fault_of_a_company_is_listed(serve: Serve, body: Any, faults: list[Any]) -> None:
    ingress, acme = serve(), tenant()
    answer = put(ingress, "/v1/companies/acme", body, acme.key)
    assert answer.status_code == 400
    assert [each["path"] for each in answer.get_json()["details"]] == faults
    [refusal] = kept(ingress, acme)
    assert (refusal.form, refusal.path) == ("company", "/v1/companies/acme")
    assert queued(ingress) == []


def test_a_user_has_the_faults_of_a_user(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    body = {"user": {"email": "x", "name": ""}, "company": {"name": "Acme"}}
    answer = put(ingress, "/v1/users/" + "u" * 201, body, acme.key)
    paths = [each["path"] for each in answer.get_json()["details"]]
    assert paths == [["user", "id"], ["user", "email"], ["company", "id"]]
    assert kept(ingress, acme)[0].form == "user"


def test_each_company_of_a_batch_is_accepted_or_rejected_by_itself(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    companies = [
        {"company": {"id": "a", "name": "A"}, "timestamp": AT},
        {"company": {"name": "B"}},
        {"company": {"id": "c", "name": None}},
        7,
        {"company": {"id": "d", "text": "x" * 40_000}},
    ]
    answer = ingress.post("/v1/companies/batch", {"companies": companies}, acme.key)
    body = answer.get_json()
    assert (answer.status_code, body["accepted"], body["rejected"]) == (200, 2, 3)
    assert body["results"][0] == {"index": 0, "id": "a", "status": "accepted"}
    assert body["results"][1] == {
        "index": 1,
        "id": None,
        "status": "rejected",
        "error": "Invalid data",
        "details": [{"path": ["company", "id"], "message": "Required"}],
    }
    assert body["results"][4]["details"][0]["message"] == "A company is at most 32 KB"
    assert entry(acme, company={"id": "c"}, occurred_at=NOW.isoformat()) in queued(ingress)
    assert [r.form for r in kept(ingress, acme)] == ["company"] * 3


def test_users_are_sent_together(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    users = [
        {"user": {"id": "u1", "email": "a@b.example"}, "company": {"id": "acme"}, "timestamp": AT},
        {"user": {"id": "u2"}, "timestamp": AT},
    ]
    answer = ingress.post("/v1/users/batch", {"users": users}, acme.key)
    assert answer.get_json()["accepted"] == 2
    assert entry(acme, user=users[0]["user"], company={"id": "acme"}) in queued(ingress)
    assert [each["user"] for each in unresolved(ingress, acme)] == [{"id": "u2"}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Required"),
        ({"companies": {}}, "Expected array, received object"),
        ({"companies": []}, "Must not be empty"),
        ({"companies": [{}] * 101}, "At most 100 companies"),
    ],
)
def test_what_is_no_batch_of_companies_is_refused(serve: Serve, body: Any, message: str) -> None:
    ingress, acme = serve(), tenant()
    answer = ingress.post("/v1/companies/batch", body, acme.key)
    details = [{"path": ["companies"], "message": message}]
    check(answer, 400, {"error": "Invalid data", "details": details})
    assert len(kept(ingress, acme)) == 1


def test_other_requests_are_refused_like_events(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="5/hour")
    with transaction():
        reader = api_keys.create(acme.id, "Reader", [Scope.READ])
    path, body = "/v1/companies/acme", {"company": {}}
    assert put(ingress, path, body).status_code == 401
    assert put(ingress, path, body, reader).status_code == 403
    assert put(ingress, path, b"x" * 40_000, acme.key).status_code == 413
    assert ingress.post("/v1/users/batch", b"x" * 1_100_000, acme.key).status_code == 413
    assert ingress.post(path, body, acme.key).status_code == 405
    assert [(r.status, r.form) for r in kept(ingress, acme)] == [
        (403, "company"),
        (413, "company"),
        (413, "user"),
    ]
    answers = [put(ingress, path, body, acme.key) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert rate_limit_of(answers[3])[:2] == (5, 0)
    broken = serve(queue_url="unix:///nowhere/redis.sock?db=0")
    assert put(broken, path, body, acme.key).status_code == 503
