"""Outcomes by the API: entering them with a key that may send, and reading them."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.test import TestResponse

from models.database import transaction
from models.keys import api_keys
from models.keys.scopes import Scope
from tests.support.dashboard.application import NOW, Dashboard
from tests.support.world import RULES, World

LEFT = {"company_id": "acme", "kind": "left", "day": "2026-01-05", "amount": 12000.5, "note": "Why"}


class Api:
    """A client with a key for each scope; answers are checked against the description."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.client = dashboard.app.test_client()
        self.world = World(dashboard.organization("acme"), NOW)
        self.world.apply_rules(RULES, -60)
        with transaction():
            self.keys = {
                scope: api_keys.create(self.world.id, f"crm {scope}", [scope]) for scope in Scope
            }
        self.description = self.client.get("/v1/openapi.json").get_json()

    def post(self, body: Any, scope: Scope = Scope.SEND) -> TestResponse:
        return self._checked("post", scope, json=body)

    def get(self, **query: Any) -> TestResponse:
        return self._checked("get", Scope.READ, query_string=query)

    def _checked(self, method: str, scope: Scope, **options: Any) -> TestResponse:
        headers = {"x-api-key": self.keys[scope]}
        answer = self.client.open("/v1/outcomes", method=method.upper(), headers=headers, **options)
        responses = self.description["paths"]["/outcomes"][method]["responses"]
        described = responses[str(answer.status_code)]
        if "$ref" in described:
            name = described["$ref"].rpartition("/")[2]
            described = self.description["components"]["responses"][name]
        schema = described["content"]["application/json"]["schema"]
        Draft202012Validator(
            {**schema, "components": self.description["components"]}, format_checker=FormatChecker()
        ).validate(answer.get_json())
        return answer


@pytest.fixture
def api(dashboard: Dashboard) -> Api:
    return Api(dashboard)


def test_an_outcome_is_entered_once_and_listed(api: Api) -> None:
    api.world.track("acme")
    first = api.post(LEFT)
    assert first.status_code == 201
    assert first.get_json()["entered_by"] == "API key crm send"
    again = api.post({**LEFT, "amount": None})
    assert (again.status_code, again.get_json()["id"]) == (200, first.get_json()["id"])
    api.post({**LEFT, "kind": "grew", "day": "2026-01-02"})
    [newest, _] = api.get().get_json()["outcomes"]
    assert (newest["kind"], newest["amount"], newest["note"]) == ("left", None, "Why")
    page = api.get(limit=1).get_json()
    [older] = api.get(limit=1, after=page["next"]).get_json()["outcomes"]
    assert (page["outcomes"], older["kind"]) == ([newest], "grew")
    [grown] = api.get(kind="grew", since="2026-01-01", until="2026-01-04").get_json()["outcomes"]
    assert grown == older
    [company] = api.client.get(
        "/v1/companies?left=true", headers={"x-api-key": api.keys[Scope.READ]}
    ).get_json()["companies"]
    assert company["left_on"] == "2026-01-05"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], None),
        ({**LEFT, "company_id": 7}, "company_id"),
        ({**LEFT, "kind": "gone"}, "kind"),
        ({**LEFT, "kind": ["left"]}, "kind"),
        ({**LEFT, "day": "5 January"}, "day"),
        ({**LEFT, "day": "2027-01-05"}, "day"),
        ({**LEFT, "amount": "12"}, "amount"),
        ({**LEFT, "amount": True}, "amount"),
        ({**LEFT, "amount": 1e300}, "amount"),
        ({**LEFT, "amount": -1}, "amount"),
        ({**LEFT, "note": "x" * 2_001}, "note"),
        ({**LEFT, "note": "\0"}, "note"),
        ({**LEFT, "reason": "x"}, "reason"),
    ],
)
def test_what_is_no_outcome_is_refused_with_the_reason(
    api: Api, body: Any, path: str | None
) -> None:
    api.world.track("acme")
    refused = api.post(body)
    assert refused.status_code == 400
    [detail] = refused.get_json()["details"]
    assert detail["path"] == ([] if path is None else [path])
    assert api.get().get_json()["outcomes"] == []


def test_an_outcome_needs_a_company_and_a_key_that_may_send(api: Api) -> None:
    assert api.post(LEFT).status_code == 404
    assert api.post(LEFT, Scope.READ).status_code == 403
    assert api.get(kind="x").status_code == 400
    assert api.get(since="x").status_code == 400
    assert api.get(after="x").status_code == 400
    headers = {"x-api-key": api.keys[Scope.SEND]}
    assert api.client.post("/v1/outcomes", data=b"{", headers=headers).status_code == 400
    large = api.client.post("/v1/outcomes", data=b" " * 70_000, headers=headers)
    assert large.status_code == 413
