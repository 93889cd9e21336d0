"""The ways in: lines to copy with the real address, and a key that is created on the page."""

import ast
import shlex
from html import unescape
from typing import Any

import orjson
import pytest
from flask import Blueprint

from dashboard.access import Member, viewer
from dashboard.app import PAGES, create_app
from dashboard.web.context import EXTENSION
from models.database import transaction
from models.keys import api_keys
from models.keys.api_keys import digest
from models.keys.scopes import Scope
from tests.support.dashboard.application import Dashboard, ServeDashboard, text_of
from tests.support.dashboard.developers import BASE, Developers, shown_secret
from tests.support.world import World

URL = "http://127.0.0.1:8123"
DOORS = ("sdk", "export", "code")


@pytest.fixture
def connected(serve_dashboard: ServeDashboard, settings: Any) -> Developers:
    """A dashboard that knows the address of `web`."""
    dashboard = serve_dashboard(ingress_url=URL)
    organization = dashboard.organization("acme")
    browser = dashboard.signed_in("ann@acme.com", (organization, "administrator"))
    return Developers(dashboard, settings, organization, None, browser)  # type: ignore[arg-type]


def code_in(page: str) -> dict[str, str]:
    """The code samples of a page, by their ids."""
    samples = {}
    for part in page.split('<pre id="code-')[1:]:
        name, _, rest = part.partition('"')
        samples[name] = unescape(rest.partition(">")[2].partition("</pre>")[0])
    return samples


def test_the_page_of_keys_links_to_the_description_of_the_write_api(
    connected: Developers,
) -> None:
    assert f'href="{URL}/v1/openapi.yaml"' in connected.browser.get(BASE).text


def test_a_key_is_created_on_the_page_and_is_in_the_lines(connected: Developers) -> None:
    assert "YOUR_API_KEY" in connected.read("/connect/sdk")
    page = connected.browser.post(f"{BASE}/connect/sdk/key", name=" My shop ").text
    key = shown_secret(unescape(page), "bzb_").partition("<")[0]
    with transaction():
        holder = api_keys.find_holder(digest(key))
        [listed] = api_keys.list_for_organization(connected.organization.id)
    assert holder is not None
    assert holder.scopes == (Scope.SEND,)
    assert listed.name == "My shop"
    samples = code_in(page)
    assert len(samples) == 6
    for name, code in samples.items():
        assert key in code, name
        assert URL in code, name
        if name.endswith("python"):
            ast.parse(code)
    assert connected.audited()[0] == "API key created"
    assert key not in connected.read("/connect/sdk")


def test_the_command_is_complete_and_names_an_event_that_is_accepted(
    connected: Developers,
) -> None:
    World.of(connected.organization, "version: 1\nevents: {off: {enabled: false}, it's on: }\n")
    page = connected.browser.post(f"{BASE}/connect/code/key", name="My shop").text
    samples = code_in(page)
    words = shlex.split(samples["curl"].replace("\\\n", " "))
    assert words[:4] == ["curl", "-X", "POST", f"{URL}/v1/track"]
    assert orjson.loads(words[-1])["event_key"] == "it's on"
    assert f"x-api-key: {shown_secret(samples['curl'], 'bzb_').rstrip(chr(39))}" in words
    ast.parse(samples["python"])
    ast.parse(samples["client-python"])
    assert [*samples] == ["curl", "python", "node", "ruby", "client-python", "client-node"]


def test_without_event_keys_the_examples_come_first(connected: Developers) -> None:
    assert "No event keys are accepted yet" in connected.read("/connect/code")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
def test_a_key_needs_a_name_of_one_line(connected: Developers, name: str) -> None:
    connected.read("/connect/sdk")
    answer = connected.browser.post(f"{BASE}/connect/sdk/key", name=name)
    assert answer.status_code == 422
    with transaction():
        assert api_keys.list_for_organization(connected.organization.id) == []


def test_others_learn_who_can_create_a_key(connected: Developers) -> None:
    member = (connected.organization, "editor")
    page = connected.dashboard.signed_in("ed@acme.com", member).get(f"{BASE}/connect/sdk")
    text = unescape(text_of(page))
    assert "Only administrators can create a key. Ask Ann (ann@acme.com)" in text
    assert "Create key" not in text
    assert "YOUR_API_KEY" in text


def test_an_address_that_is_not_set_is_shown_as_an_example(developers: Developers) -> None:
    text = developers.read("/connect/sdk")
    assert "https://events.example.com" in text
    assert "Set BRAZEBEE_INGRESS_URL for the dashboard to show the real one" in text


def test_exports_are_loaded_by_command_until_there_is_a_page(connected: Developers) -> None:
    text = connected.read("/connect/export")
    assert "brazebee import companies companies.csv --org acme" in text
    assert "brazebee import events events.csv --org acme" in text
    assert text.count("Commands run on the server: in the folder where Brazebee was started") == 1


def test_the_page_for_imports_is_linked_where_it_exists(dashboard: Dashboard) -> None:
    page = Blueprint("import_companies", __name__, url_prefix="/o/<name:organization>/import")

    @page.get("/companies", endpoint="page")
    @viewer
    def shown(member: Member) -> str:
        return member.organization.name

    pages = [*(p for p in PAGES if p.name != page.name), page]
    app = create_app(dashboard.app.extensions[EXTENSION], pages)
    other = Dashboard(app, dashboard.clock, dashboard.passwords, dashboard.rulebooks)
    organization = other.organization("acme")
    for role, linked in (("editor", True), ("viewer", False)):
        browser = other.signed_in(f"{role}@acme.com", (organization, role))
        shown_page = browser.get(f"{BASE}/connect/export").text
        assert ('href="/o/acme/import/companies"' in shown_page) is linked


def test_every_way_in_is_reached_and_waits(developers: Developers) -> None:
    page = developers.browser.get(f"{BASE}/connect").text
    for door in DOORS:
        assert f'href="{BASE}/connect/{door}"' in page
        assert "Waiting for the first event or company" in developers.read(f"/connect/{door}")
    assert developers.browser.get(f"{BASE}/connect/window").status_code == 404
