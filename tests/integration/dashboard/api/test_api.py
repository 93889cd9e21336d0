"""The read API: authentication, answers, and their agreement with the OpenAPI description."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import redis
from click.testing import CliRunner
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from cli.main import main
from config.settings import Settings
from models.database import transaction
from models.keys import api_keys
from models.keys.scopes import Scope
from models.organizations.organizations import Organization
from tests.support.dashboard.application import NOW, Dashboard, ServeDashboard
from tests.support.ingress.former_keys import add_key_as_the_release_before
from tests.support.world import RULES, World

Description = dict[str, Any]

TEAM = "team: {owner: company.plan, value: company.seats, renewal: company.renews}"


def cursor_of(order: str, *keys: Any) -> str:
    """Return a cursor of an order, with any keys."""
    return urlsafe_b64encode(json.dumps([order, *keys]).encode()).decode()


def described_response(description: Description, path: str, status: int) -> Description:
    """Return the description of a response."""
    template = "/companies/{id}/health" if path.endswith("/health") else path
    responses = description["paths"][template]["get"]["responses"]
    return resolve(description, responses[str(status)])


def resolve(description: Description, item: Description) -> Description:
    """Follow references within the description."""
    while "$ref" in item:
        target: Any = description
        for key in item["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        item = target
    return item


@dataclass
class Api:
    """A client with a key, which checks every answer against the description."""

    dashboard: Dashboard
    organization: Organization
    key: str
    description: Description = field(init=False)

    def __post_init__(self) -> None:
        self.description = self.dashboard.app.test_client().get("/v1/openapi.json").get_json()

    def get(self, path: str, key: str | None = None, **query: Any) -> TestResponse:
        headers = {"x-api-key": self.key if key is None else key}
        response = self.dashboard.app.test_client().get(
            f"/v1{path}", query_string=query, headers={n: v for n, v in headers.items() if v}
        )
        self.check(path, response)
        return response

    def check(self, path: str, response: TestResponse) -> None:
        expected = described_response(self.description, path, response.status_code)
        for name, header in expected["headers"].items():
            if resolve(self.description, header).get("required"):
                assert response.headers[name].isdigit(), name
        assert response.content_type == "application/json"
        assert "Set-Cookie" not in response.headers
        schema = expected["content"]["application/json"]["schema"]
        Draft202012Validator(
            {**schema, "components": self.description["components"]}, format_checker=FormatChecker()
        ).validate(response.get_json())

    def companies(self, **query: Any) -> list[str]:
        return [
            company["id"] for company in self.get("/companies", **query).get_json()["companies"]
        ]


@pytest.fixture
def api(dashboard: Dashboard) -> Api:
    organization = dashboard.organization("acme")
    with transaction():
        key = api_keys.create(organization.id, "reader", [Scope.READ])
    return Api(dashboard, organization, key)


def world_of(api: Api, start: datetime = NOW) -> World:
    """Put the rules of worlds in force in the API's organization."""
    world = World(api.organization, start)
    world.apply_rules(RULES + TEAM, -timedelta(days=1))
    return world


@pytest.fixture
def world(api: Api) -> World:
    """`well` is Healthy, `poor` At Risk with a single login, `bad` Critical for a report."""
    world = world_of(api)
    world.track("well", -3, -3, plan="Enterprise", seats=42, trial=True, renews="2026-05-01")
    world.track("poor", -3, plan="Free", seats="42")
    world.track("bad", -3, -3, plan="Free")
    world.track("bad", -1, key="report")
    world.judge()
    return world


@pytest.fixture
def as_command_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    return CliRunner()


def test_the_description_is_valid_openapi_and_public(api: Api) -> None:
    OpenAPIV31SpecValidator(api.description).validate()
    plain = api.dashboard.app.test_client().get("/v1/openapi.json")
    assert plain.status_code == 200
    assert "Set-Cookie" not in plain.headers


def test_the_served_paths_are_the_described_paths(api: Api) -> None:
    mounted = api.dashboard.app.wsgi_app.mounts["/v1"]  # type: ignore[attr-defined]
    served = {
        rule.rule.replace("<id:company>", "{id}")
        for rule in mounted.url_map.iter_rules()
        if rule.endpoint != "description"
    }
    assert served == set(api.description["paths"])


def test_companies_are_listed_with_their_health_and_fields(api: Api, world: World) -> None:
    answer = api.get("/companies").get_json()
    assert (answer["total"], answer["next"]) == (3, None)
    [bad, poor, well] = answer["companies"]
    assert [company["health_status"] for company in (bad, poor, well)] == [
        "Critical",
        "At Risk",
        "Healthy",
    ]
    assert well == {
        "id": "well",
        "name": "Well",
        "health_status": "Healthy",
        "score": well["score"],
        "previous_status": None,
        "since": well["since"],
        "last_event_at": "2026-01-20T10:30:02.123Z",
        "owner": "Enterprise",
        "value": 42.0,
        "renewal": "2026-05-01",
        "left_on": None,
        "raised_flags": [],
        "fields": {"plan": "Enterprise", "seats": 42, "trial": True, "renews": "2026-05-01"},
    }
    assert bad["raised_flags"][0] == {"flag": "Reports", "status": "Critical"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "At Risk"}, ["poor"]),
        ({"status": "Nowhere"}, []),
        ({"flag": "Reports", "flag_status": "Critical"}, ["bad"]),
        ({"flag": "Logs in", "flag_status": "At Risk"}, ["poor"]),
        ({"search": "OO"}, ["poor"]),
        ({"field.plan": "Free"}, ["bad", "poor"]),
        ({"field.plan": ["Free", "Enterprise"], "field.seats": "42"}, ["poor", "well"]),
        ({"field.trial": "true"}, ["well"]),
        ({"field.plan": "Free", "status": "Critical"}, ["bad"]),
        ({"sort": "-name"}, ["well", "poor", "bad"]),
        ({"sort": "status"}, ["well", "poor", "bad"]),
        ({"sort": "-status"}, ["bad", "poor", "well"]),
        ({"sort": "-renewal"}, ["well", "bad", "poor"]),
        ({"owner": "free"}, ["bad", "poor"]),
    ],
)
def test_companies_are_filtered_and_sorted(
    api: Api, world: World, query: dict[str, Any], expected: list[str]
) -> None:
    assert api.companies(**query) == expected


def test_companies_are_read_page_by_page(api: Api, world: World) -> None:
    for sort in ("name", "-status", "score", "-since", "last_event"):
        read, after = [], None
        for _ in range(3):
            cursor = {"after": after} if after else {}
            answer = api.get("/companies", sort=sort, limit=1, **cursor).get_json()
            assert answer["total"] == 3
            read += [company["id"] for company in answer["companies"]]
            after = answer["next"]
        assert after is None
        assert read == api.companies(sort=sort)


@pytest.mark.parametrize(
    ("path", "query", "faulty"),
    [
        ("/companies", {"sort": "colour"}, "sort"),
        ("/companies", {"limit": "0"}, "limit"),
        ("/companies", {"limit": "501"}, "limit"),
        ("/companies", {"limit": "٣"}, "limit"),
        ("/companies", {"after": "x"}, "after"),
        ("/companies", {"flag": "Reports"}, "flag"),
        ("/companies", {"flag_status": "Critical"}, "flag_status"),
        ("/companies", {"stauts": "At Risk"}, "stauts"),
        ("/companies", {"status": ["Healthy", "At Risk"]}, "status"),
        ("/companies", {"field.": "x"}, "field."),
        ("/companies", {"field.a": ["x"] * 21}, "field.a"),
        ("/companies", {"search": "x" * 201}, "search"),
        ("/companies/a/health", {"verbose": "1"}, "verbose"),
        ("/transitions", {"after": "not-a-cursor"}, "after"),
        ("/transitions", {"after": cursor_of("feed", True)}, "after"),
        ("/transitions", {"after": cursor_of("feed", -(2**63))}, "after"),
        ("/transitions", {"after": cursor_of("feed", 2**63)}, "after"),
        ("/transitions", {"after": cursor_of("feed", 1.5)}, "after"),
        ("/companies", {"after": cursor_of("name False", "a\0", 1)}, "after"),
        ("/companies", {"after": cursor_of("name False", "a")}, "after"),
        ("/transitions", {"since": "2026-01-01"}, "since"),
    ],
)
def test_an_invalid_parameter_is_reported_instead_of_ignored(
    api: Api, path: str, query: dict[str, Any], faulty: str
) -> None:
    answer = api.get(path, **query)
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "Invalid query"
    assert [detail["path"] for detail in answer.get_json()["details"]] == [[faulty]]


def test_a_cursor_of_another_order_is_refused(api: Api, world: World) -> None:
    after = api.get("/companies", limit=1).get_json()["next"]
    assert api.get("/companies", sort="score", after=after).status_code == 400


def test_health_equals_the_output_of_brazebee_explain(
    api: Api, as_command_line: CliRunner, settings: Settings
) -> None:
    # Long ago, so that the current time of the command changes nothing.
    long_ago = world_of(api, start=NOW - timedelta(days=2))
    long_ago.track("poor", -3, plan="Free")
    long_ago.judge("poor")
    health = api.get("/companies/poor/health").get_json()
    assert health["health_status"] == "At Risk"
    result = as_command_line.invoke(main, ["explain", "poor", "--org", "acme", "--json"])
    assert result.exit_code == 0, result.output
    explained = json.loads(result.stdout)
    summaries = [[flag.pop("summary") for flag in told["flags"]] for told in (health, explained)]
    assert summaries[0] == ["no logins for 2 days", "no reports so far"]
    assert summaries[1][0].startswith("no logins for ")  # until now
    assert health == explained


@pytest.mark.parametrize(
    "name", ["a/b", "/a", "a//b/health", "50%", "é ü", "<b>'\"&?#", "..x", "a\nb"]
)
def test_a_company_can_have_any_id(api: Api, name: str, settings: Settings) -> None:
    world_of(api).track(name, -3)
    assert api.get(f"/companies/{quote(name, safe='')}/health").get_json()["id"] == name


def test_an_unknown_company_is_404(api: Api, world: World) -> None:
    for name in ("nobody", "Well", "WELL"):
        answer = api.get(f"/companies/{name}/health")
        assert (answer.status_code, answer.get_json()["error"]) == (404, "Company not found")


def test_transitions_continue_after_the_cursor(api: Api, world: World) -> None:
    first = api.get("/transitions", limit=1).get_json()
    assert first["more"]
    second = api.get("/transitions", after=first["next"]).get_json()
    assert not second["more"]
    transitions = [*first["transitions"], *second["transitions"]]
    assert {transition["company"]["id"] for transition in transitions} == {"poor", "bad"}
    [critical] = [transition for transition in transitions if transition["to"] == "Critical"]
    assert critical["company"] == {"id": "bad", "name": "Bad"}
    assert [change["flag"] for change in critical["changes"]] == ["Reports"]
    last = api.get("/transitions", after=second["next"]).get_json()
    assert last == {"transitions": [], "next": second["next"], "more": False}


def test_a_key_reads_only_its_own_organization(api: Api, world: World) -> None:
    other = api.dashboard.organization("other")
    with transaction():
        key = api_keys.create(other.id, "theirs", [Scope.READ])
    assert api.get("/companies", key=key).get_json()["total"] == 0
    assert api.get("/companies/well/health", key=key).status_code == 404
    assert api.get("/transitions", key=key).get_json()["transitions"] == []


def test_without_a_valid_key_every_request_is_refused_even_with_a_session(api: Api) -> None:
    assert api.get("/companies", key="").get_json() == {"error": "API key required"}
    assert api.get("/companies", key="bzb_wrong").get_json() == {"error": "Invalid API key"}
    browser = api.dashboard.signed_in("ann@acme.com", (api.organization, "administrator"))
    answer = browser.client.get("/v1/companies")
    assert answer.status_code == 401
    assert answer.get_json() == {"error": "API key required"}


def test_a_revoked_key_is_refused_and_use_of_a_key_is_recorded(api: Api, world: World) -> None:
    assert api.get("/companies").status_code == 200
    with transaction():
        [key] = api_keys.list_for_organization(api.organization.id)
        assert key.last_used_at is not None
        spare = api_keys.create(api.organization.id, "spare", [Scope.READ])
        [_, stored] = api_keys.list_for_organization(api.organization.id)
        api_keys.revoke(api.organization.id, stored.id)
    assert api.get("/companies", key=spare).status_code == 401


@pytest.mark.parametrize("path", ["/companies", "/companies/well/health", "/transitions"])
def test_a_key_that_may_not_read_is_refused_with_what_to_do(api: Api, path: str) -> None:
    with transaction():
        sender = api_keys.create(api.organization.id, "sender", [Scope.SEND, Scope.MANAGE])
        key_id = api_keys.list_for_organization(api.organization.id)[-1].id
    refused = api.get(path, key=sender)
    assert refused.status_code == 403
    assert refused.headers["X-RateLimit-Remaining"] == "9999"
    [detail] = refused.get_json()["details"]
    assert (refused.get_json()["error"], detail["scope"]) == (
        "API key lacks the scope: read",
        "read",
    )
    command = f"brazebee keys set-scopes {key_id} --scope send --scope manage --scope read"
    assert command in detail["message"]


def test_events_that_are_sent_to_the_read_api_get_404_whatever_the_scope(api: Api) -> None:
    client = api.dashboard.app.test_client()
    with transaction():
        keys = [api_keys.create(api.organization.id, scope, [scope]) for scope in Scope]
    for key in keys:
        answer = client.post("/v1/track", headers={"x-api-key": key}, json={})
        assert answer.status_code == 404


def test_the_key_may_be_a_bearer_token(api: Api) -> None:
    client = api.dashboard.app.test_client()
    bearer = {"Authorization": f"Bearer {api.key}"}
    assert client.get("/v1/companies", headers=bearer).status_code == 200
    both = {**bearer, "x-api-key": "bzb_wrong"}
    assert client.get("/v1/companies", headers=both).status_code == 401


def test_a_key_from_before_there_were_scopes_reads(api: Api) -> None:
    key = add_key_as_the_release_before(api.organization.id, "former")
    assert api.get("/companies", key=key).status_code == 200


def test_reads_have_their_own_rate_limit(
    serve_dashboard: ServeDashboard, settings: Settings
) -> None:
    dashboard = serve_dashboard(rate_limit="2/hour")
    organization = dashboard.organization("acme")
    with transaction():
        key = api_keys.create(organization.id, "reader", [Scope.READ])
    api = Api(dashboard, organization, key)
    remaining = [api.get("/companies").headers["X-RateLimit-Remaining"] for _ in range(2)]
    assert remaining == ["1", "0"]
    refused = api.get("/companies")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 3601
    assert [api.get("/companies", key="").status_code for _ in range(3)] == [401, 401, 429]
    with redis.Redis.from_url(settings.redis_url) as client:
        assert client.keys("brazebee:requests:*") == []


def test_unknown_paths_and_methods_are_answered_as_json(api: Api) -> None:
    client = api.dashboard.app.test_client()
    headers = {"x-api-key": api.key}
    for path in ("/v1", "/v1/", "/v1/nothing", "/v1/companies/", "/v1/sign-in"):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.get_json()) == (404, {"error": "Not found"}), path
    posted = client.post("/v1/companies", headers=headers)
    assert (posted.status_code, posted.get_json()) == (405, {"error": "Method not allowed"})
    assert posted.headers["X-RateLimit-Limit"] == "10000"


def test_without_redis_the_answer_is_503(serve_dashboard: ServeDashboard) -> None:
    dashboard = serve_dashboard(queue_url="redis://127.0.0.1:1/0")
    organization = dashboard.organization("acme")
    with transaction():
        key = api_keys.create(organization.id, "reader", [Scope.READ])
    answer = Api(dashboard, organization, key).get("/companies")
    assert answer.status_code == 503
    assert "nothing was read" in answer.get_json()["details"][0]["message"]
