"""docs/dashboard.md lists every address of the dashboard, and docs/api.md every one of the API."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from flask import Flask
from ruamel.yaml import YAML

from dashboard.app import PAGES
from dashboard.pages.sign_in import open_id
from dashboard.presentation import navigation
from dashboard.web import addresses
from ingress.app import create_app
from ingress.formats.routes import PATHS as SDK_PATHS
from ingress.track import TRACK, Tracking
from tests.unit.docs.documents import project_files, read, rows_of, spans

GUIDE = read("docs/dashboard.md")


def without_names(paths: Iterable[str]) -> list[str]:
    """Addresses with a star for each part that stands for a name or an id."""
    return sorted(re.sub(r"<[^>]+>|(?<=/)[A-Z_]+(?=/|$)", "*", path) for path in paths)


def pages() -> list[str]:
    app = Flask("dashboard")
    addresses.configure_addresses(app)
    for blueprint in (*PAGES, open_id.blueprint):
        app.register_blueprint(blueprint)
    return [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint != "static"
    ]


def api_paths() -> set[str]:
    """The paths of the ingress and of the read API, the latter with `{id}` for a company's id."""
    gate: Any = SimpleNamespace(limiter=None)
    ingress = create_app(Tracking(gate, lambda: datetime.now(UTC)), redis=int, postgres=int)
    reading = YAML(typ="safe").load(read("dashboard/api/openapi.yaml"))["paths"]
    described = {f"/v1{path}" for path in reading}
    served = {re.sub(r"<id:[^>]+>", "{id}", rule.rule) for rule in ingress.url_map.iter_rules()}
    return served - SDK_PATHS | described | {"/metrics", "/v1/openapi.json"}


def test_every_path_of_the_apis_is_in_the_guide() -> None:
    headings = " ".join(re.findall(r"^## (.+)$", read("docs/api.md"), re.MULTILINE))
    assert set(re.findall(r"`(?:GET |POST |PUT )?(/[^`]*)`", headings)) == api_paths()


def test_every_path_of_an_sdk_is_in_its_guide() -> None:
    named = {span.removeprefix("POST ") for span in spans(read("docs/sdks.md"))}
    assert named >= SDK_PATHS
    assert {path for path in named if re.fullmatch(r"/[a-z0-9_/]+", path)} <= SDK_PATHS | {TRACK}


def test_every_page_is_listed_and_every_listed_page_exists() -> None:
    listed = [row["address"].strip("`") for row in rows_of(GUIDE, "address")]
    assert without_names(listed) == without_names(pages())


def test_the_main_pages_are_described_in_the_order_of_the_navigation() -> None:
    headings = re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)
    titles = [entry.title for entry in navigation.PAGES]
    assert [heading for heading in headings if heading in titles] == titles


def test_the_keys_that_open_pages_are_described() -> None:
    keyboard = GUIDE.split("## Keyboard")[1]
    for entry in navigation.PAGES:
        assert f"`{entry.key}`" in keyboard
        assert entry.title in keyboard


def test_buttons_and_links_that_the_guides_name_exist() -> None:
    shown = "".join(read(path) for path in project_files() if path.endswith(".html"))
    titles = {entry.title for entry in (*navigation.PAGES, *navigation.SETTINGS)}
    in_the_dashboard = read("docs/health-rules.md").split("### In the dashboard")[1].split("##")[0]
    for label in re.findall(r"\*\*([^*]+)\*\*", f"{GUIDE}\n{in_the_dashboard}"):
        name = " ".join(label.split())
        assert name in titles or name in shown, name
