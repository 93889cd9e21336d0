"""Whatever a request carries, it is answered or refused; nothing leads to an unexpected error."""

import random
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
from werkzeug.test import TestResponse

from config.settings import Settings
from models.cursors import UnreadableCursor
from models.database import query, transaction
from models.keys import api_keys
from models.keys.scopes import Scope
from tests.support.dashboard.application import Dashboard
from tests.support.dashboard.company_page import add_history, create_world
from tests.support.dashboard.hostile_requests import (
    KEYS,
    VALUES,
    cursors,
    random_headers,
    random_query,
)
from tests.support.properties import profile_is_thorough

REQUESTS = 40 if profile_is_thorough() else 4
"""For each route."""

CURSORS = 1_000 if profile_is_thorough() else 100
"""For each kind."""

API_ROUTES = ("/companies", "/companies/<company_id>/health", "/transitions", "/openapi.json")

_PART = re.compile(r"<(?:(\w+)(?:\(.*?\))?:)?(\w+)>")


def fill(route: str, randomly: random.Random) -> str:
    """Return a path of a route, often with parts that exist."""

    def part(match: re.Match[str]) -> str:
        kind, name = match.groups()
        known = {"organization": "acme", "company_id": "c1", "key": "login"}.get(name)
        if known and randomly.random() < 0.8:
            return known
        if kind == "int":
            return randomly.choice(["1", "9" * 18, "9" * 19, "9" * 5_000, "-1"])
        return quote(randomly.choice(VALUES).encode("utf-8", "replace"), safe="")

    return _PART.sub(part, route)


def unexpected(
    routes: list[str], seed: int, get: Callable[[str, dict[str, Any]], TestResponse]
) -> list[str]:
    """Request routes with random values; return the requests that led to an unexpected error."""
    randomly = random.Random(seed)
    failed = []
    for route in routes * REQUESTS:
        pairs = [(n, v.encode("utf-8", "surrogatepass")) for n, v in random_query(randomly)]
        address, headers = f"{fill(route, randomly)}?{urlencode(pairs)}", random_headers(randomly)
        answer = get(address, headers)
        if answer.status_code >= 500:
            failed.append(f"{answer.status_code} {address[:300]} {headers}")
    return failed


@pytest.fixture
def dashboard_with_history(dashboard: Dashboard, settings: Settings) -> Dashboard:
    del settings  # the database
    add_history(create_world())
    return dashboard


@pytest.mark.long
def test_no_page_fails_whatever_a_request_carries(dashboard_with_history: Dashboard) -> None:
    acme = dashboard_with_history.find_organization("acme")
    browsers = [
        dashboard_with_history.signed_in("ann@acme.com", (acme, "administrator")),
        dashboard_with_history.browser(),
    ]
    routes = [
        rule.rule
        for rule in dashboard_with_history.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint != "static"
    ]

    def get(address: str, headers: dict[str, Any]) -> TestResponse:
        browser = browsers[len(address) % 10 == 0]
        return browser.client.get(address, headers=headers, buffered=True)

    assert len(routes) > 30
    assert unexpected(routes, 1, get) == []


def test_no_answer_of_the_read_api_fails_whatever_a_request_carries(
    dashboard_with_history: Dashboard,
) -> None:
    acme = dashboard_with_history.find_organization("acme")
    with transaction():
        key = api_keys.create(acme.id, "tests")

    def get(address: str, headers: dict[str, Any]) -> TestResponse:
        client = dashboard_with_history.app.test_client()
        return client.get(f"/v1{address}", headers={"x-api-key": key, **headers}, buffered=True)

    assert unexpected(list(API_ROUTES) * 10, 2, get) == []


def test_every_cursor_that_is_read_can_be_used_in_sql(settings: Settings) -> None:
    del settings  # the database
    randomly = random.Random(3)
    read = 0
    for cursor in cursors():
        for _ in range(CURSORS):
            content = [cursor.order, *(randomly.choice(KEYS) for _ in cursor.types)]
            try:
                parameters = cursor.read(urlsafe_b64encode(orjson.dumps(content)).decode())
            except (UnreadableCursor, orjson.JSONEncodeError):
                continue
            columns = [f"null::{kind}" for kind in cursor.types]
            condition = cursor.condition(columns, "given", descending=False)
            with transaction():
                query(f"select 1 where true{condition}", parameters)
            read += 1
    assert read > 50


@pytest.mark.parametrize("header", ["HX-Current-URL", "Referer", "Origin"])
@pytest.mark.parametrize("address", ["http://[::1", "//["])
def test_a_malformed_address_in_a_header_is_refused(
    dashboard: Dashboard, header: str, address: str
) -> None:
    client = dashboard.browser().client
    headers = {"HX-Request": "true", header: address}
    assert client.get("/account", headers=headers).status_code == 400
    secure = client.post("/sign-in", headers=headers, base_url="https://localhost")
    assert secure.status_code == 400


@pytest.mark.parametrize("host", ["é", "a" * 64 + ".com"])
def test_a_host_that_can_be_none_is_refused(dashboard: Dashboard, host: str) -> None:
    answer = dashboard.browser().get("/sign-in?a=%00", headers={"Host": host})
    assert answer.status_code == 400


def test_a_nul_character_anywhere_in_a_request_to_a_page_is_refused(dashboard: Dashboard) -> None:
    client = dashboard.browser().client
    routes = [
        (method, rule.rule)
        for rule in dashboard.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    accepted = []
    for method, route in routes:
        path = _PART.sub("1", route)
        targets = [f"{path}?a=1&a=%00", f"{path}?%00=1"]
        if path != route:
            targets.append(_PART.sub("%00", route))
        answers = [client.open(target, method=method, buffered=True) for target in targets]
        if method == "POST":
            forms: list[dict[str, Any]] = [{"a": ["1", "\0"]}, {"\0": "1"}]
            answers += [client.post(path, data=form) for form in forms]
        accepted += [(method, route) for answer in answers if answer.status_code != 400]
    assert len(routes) > 100
    assert accepted == []


def test_a_nul_character_in_a_query_that_a_request_brings_along_is_refused(
    dashboard: Dashboard,
) -> None:
    acme = dashboard.organization("acme")
    browser = dashboard.signed_in("ann@acme.com", (acme, "administrator"))
    shown = {"HX-Request": "true", "HX-Current-URL": "http://localhost/?status=%00"}
    assert browser.get("/o/acme/companies?status=x", headers=shown).status_code == 400
    for form in ("views", "worklist/selected", "worklist/companies"):
        answer = browser.post(f"/o/acme/{form}", query="status=%00", name="x", action="note")
        assert answer.status_code == 400, form


def test_the_read_api_names_each_parameter_with_a_nul_character(dashboard: Dashboard) -> None:
    acme, client = dashboard.organization("acme"), dashboard.app.test_client()
    with transaction():
        key = api_keys.create(acme.id, "tests", list(Scope))
    api = dashboard.app.wsgi_app.mounts["/v1"]  # type: ignore[attr-defined]
    routes = [(rule, method) for rule in api.url_map.iter_rules() for method in ("GET", "POST")
              if method in rule.methods and rule.endpoint != "description"]  # fmt: skip
    for rule, method in routes:
        path = f"/v1{_PART.sub('%00', rule.rule)}"
        named = ["id"] * bool(rule.arguments) + ["after", "field.\0"]
        answer = client.open(
            f"{path}?after=%00&limit=1&field.%00=1", method=method, headers={"x-api-key": key}
        )
        assert answer.status_code == 400
        assert [detail["path"] for detail in answer.get_json()["details"]] == [[n] for n in named]
    assert len(routes) == 6
