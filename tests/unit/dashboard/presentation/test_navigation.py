"""Each page of Settings, Insights and Events marks one tab as current, the one it belongs to."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, g

from dashboard.access import Member
from dashboard.app import PAGES
from dashboard.presentation import navigation
from dashboard.web import addresses
from services.accounts.roles import Role

SETTINGS, INSIGHTS = navigation.settings_links, navigation.insight_links


@pytest.fixture(scope="module")
def app() -> Flask:
    app = Flask("dashboard")
    addresses.configure_addresses(app)
    for blueprint in PAGES:
        app.register_blueprint(blueprint)
    return app


@pytest.fixture
def member() -> Member:
    some: Any = SimpleNamespace(name="acme")
    return Member(some, some, Role.ADMINISTRATOR)


@pytest.mark.parametrize(
    ("path", "links", "title"),
    [
        ("/insights", INSIGHTS, "Event usage"),
        ("/insights/outcomes", INSIGHTS, "Event usage"),
        ("/outcomes", INSIGHTS, "Warnings"),
        ("/outcomes/companies/missed", INSIGHTS, "Warnings"),
        ("/outcomes/all", INSIGHTS, "Outcomes"),
        ("/outcomes/all/7", INSIGHTS, "Outcomes"),
        ("/outcomes/import", INSIGHTS, "Outcomes"),
        (f"/outcomes/import/{'a' * 64}", INSIGHTS, "Outcomes"),
        ("/settings/developers", SETTINGS, "API keys"),
        ("/settings/developers/keys/7/scopes", SETTINGS, "API keys"),
        ("/settings/developers/connect", SETTINGS, "Connect"),
        ("/settings/developers/connect/sdk", SETTINGS, "Connect"),
        ("/settings/developers/deliveries", SETTINGS, "Deliveries"),
        ("/settings/people", SETTINGS, "People"),
        ("/settings/people/7/owners", SETTINGS, "People"),
        ("/settings/owners", SETTINGS, "People"),
        ("/settings/notifications", SETTINGS, "Notifications"),
        ("/events", navigation.event_links, "Event keys"),
        ("/events/refused", navigation.event_links, "Refused"),
        ("/events/set-aside/drop", navigation.event_links, "Set aside"),
        ("/recent", navigation.today_links, "Today"),
        ("/changes", navigation.today_links, "Changes"),
    ],
)
def test_the_tab_of_a_page_is_current(
    app: Flask, member: Member, path: str, links: Any, title: str
) -> None:
    with app.test_request_context(f"/o/acme{path}"):
        g.member = member
        assert [link.title for link in links() if link.current] == [title]
