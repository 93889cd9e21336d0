"""Who may see and change what, and what every answer carries."""

import logging
import re
from dataclasses import replace

import psycopg2
import pytest
from flask import Blueprint, abort
from flask.typing import ResponseReturnValue
from markupsafe import escape

from config.settings import Settings
from dashboard.access import Member, administrator, audit, editor, everybody, viewer
from dashboard.access.attempts import Attempts
from dashboard.app import PAGES, create_app
from dashboard.web.context import Parts
from models.database import connect, database, transaction
from models.organizations import audit_log
from models.people import memberships
from queues.broker import QueueBroker
from services.accounts.passwords import Passwords
from tests.support.dashboard import QUICK, Dashboard, PresentTime, text_of
from tests.support.ingress import NOWHERE

ROLES = ("viewer", "editor", "administrator")
SIGNED = re.compile(r"\.[\w-]{6}\.[\w-]{27}(?=\")")


def tried_out() -> Blueprint:
    """Pages that do nothing but admit."""
    blueprint = Blueprint("tried", __name__, url_prefix="/o/<name:organization>/tried")

    def said(member: Member) -> str:
        return f"{member.person.email} {member.organization.name} {member.role.value}"

    blueprint.add_url_rule("/viewer", "viewer", viewer(said))
    blueprint.add_url_rule("/editor", "editor", editor(said))
    blueprint.add_url_rule("/administrator", "administrator", administrator(said))

    @blueprint.post("/change")
    @editor
    def change(member: Member) -> ResponseReturnValue:
        with transaction():
            audit.record(member, "Tried", "a change", {"n": 1})
        return "changed"

    @blueprint.get("/error/<int:status>")
    @everybody
    def error(organization: str, status: int) -> ResponseReturnValue:
        if status == 500:
            raise RuntimeError(f"a secret of {organization}")
        if status == 503:
            raise psycopg2.OperationalError("server closed the connection at 10.9.8.7")
        abort(status)

    return blueprint


@pytest.fixture
def trying(settings: Settings, broker_of_pages: QueueBroker) -> Dashboard:
    """A dashboard with pages to try."""
    clock = PresentTime()
    attempts = Attempts(settings.rate_limit_redis_url)
    parts = Parts(settings, clock, attempts, Passwords(QUICK), broker_of_pages)
    return Dashboard(create_app(parts, [*PAGES, tried_out()]), clock)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_the_ones_before_may(trying: Dashboard, role: str) -> None:
    acme = trying.organization("acme")
    browser = trying.signed_in("ann@acme.com", (acme, role))
    for place, needed in enumerate(ROLES):
        answer = browser.client.get(f"/o/acme/tried/{needed}")
        if place <= ROLES.index(role):
            assert (answer.status_code, answer.text) == (200, f"ann@acme.com acme {role}")
        else:
            assert answer.status_code == 403
            assert "Your role does not include this." in text_of(answer)


def test_a_role_holds_in_its_organization_alone_and_ends_at_once(trying: Dashboard) -> None:
    acme, other = trying.organization("acme"), trying.organization("other")
    browser = trying.signed_in("ann@acme.com", (acme, "administrator"), (other, "viewer"))
    assert browser.get("/o/acme/tried/administrator").status_code == 200
    assert browser.get("/o/other/tried/administrator").status_code == 403
    assert browser.get("/o/other/tried/viewer").status_code == 200
    [person] = {row.person_id for row in _members(acme.id)}
    with transaction():
        memberships.set_role(acme.id, person, "viewer")
        memberships.remove(other.id, person)
    assert browser.get("/o/acme/tried/administrator").status_code == 403
    assert browser.get("/o/other/tried/viewer").status_code == 404


def _members(organization_id: int) -> list[memberships.ListedMember]:
    with transaction():
        return memberships.of_organization(organization_id)


def test_nobody_learns_of_an_organization_that_they_do_not_belong_to(trying: Dashboard) -> None:
    acme = trying.organization("acme")
    trying.organization("rivals")
    browser = trying.signed_in("ann@acme.com", (acme, "administrator"))
    for page in ("tried/viewer", "tried/administrator", "companies", "settings/people", ""):
        there = browser.client.get(f"/o/rivals/{page}")
        nowhere = browser.client.get(f"/o/nobodys/{page}")
        assert there.status_code == nowhere.status_code == 404
        # A token tells the second in which it was signed.
        assert SIGNED.sub("", there.text) == SIGNED.sub("", nowhere.text)


def test_who_is_not_signed_in_is_asked_to(trying: Dashboard) -> None:
    acme = trying.organization("acme")
    browser = trying.browser()
    for address in ("/", "/account", "/o/acme/", "/o/nobodys/", "/o/acme/settings/people"):
        asked = browser.get(address)
        assert asked.status_code == 303
        assert asked.location.startswith("/sign-in")
    browser.get("/sign-in")
    assert browser.post("/o/acme/tried/change").location == "/sign-in"
    assert _logged(acme.id) == []


def test_a_fragment_is_no_place_for_the_sign_in_page(trying: Dashboard) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/o/acme/companies?x=1"}
    asked = trying.browser().get("/o/acme/tried/viewer", headers=headers)
    assert asked.status_code == 401
    assert asked.headers["HX-Redirect"] == "/sign-in?next=/o/acme/companies"
    assert asked.text == ""


def _logged(organization_id: int) -> list[str]:
    with transaction():
        entries = audit_log.page(organization_id, action="Tried", limit=10)
    return [f"{entry.made_by} {entry.subject} {dict(entry.detail)}" for entry in entries]


def test_a_change_needs_the_token_of_the_page_it_is_made_on(trying: Dashboard) -> None:
    acme = trying.organization("acme")
    browser = trying.signed_in("ann@acme.com", (acme, "editor"))
    strangers = trying.signed_in("bob@acme.com", (acme, "editor"))
    address = "/o/acme/tried/change"
    for form in ({}, {"csrf_token": "made up"}, {"csrf_token": strangers.token}):
        refused = browser.client.post(address, data=form)
        assert refused.status_code == 400
        assert "This page was open for too long." in text_of(refused)
    assert _logged(acme.id) == []
    assert browser.post(address).text == "changed"
    by_htmx = browser.client.post(address, headers={"X-CSRFToken": str(browser.token)})
    assert by_htmx.text == "changed"
    assert _logged(acme.id) == ["ann@acme.com a change {'n': 1}"] * 2


@pytest.mark.parametrize("address", ["/sign-in", "/sign-out", "/account/name", "/account/password",
                                     "/account/sessions/end", "/account/sessions/1/end",
                                     "/o/acme/settings/people"])  # fmt: skip
def test_no_page_takes_a_change_without_a_token(trying: Dashboard, address: str) -> None:
    acme = trying.organization("acme")
    browser = trying.signed_in("ann@acme.com", (acme, "administrator"))
    form = {"email": "x@acme.com", "role": "viewer", "name": "X"}
    assert browser.client.post(address, data=form).status_code == 400


def test_every_page_that_changes_something_is_asked_for_by_post_alone(trying: Dashboard) -> None:
    for rule in trying.app.url_map.iter_rules():
        assert rule.methods is not None
        methods = rule.methods - {"HEAD", "OPTIONS"}
        assert methods in ({"GET"}, {"POST"}), rule


def test_a_page_that_does_not_say_whom_it_admits_keeps_the_dashboard_from_starting(
    settings: Settings, broker_of_pages: QueueBroker
) -> None:
    forgotten = Blueprint("forgotten", __name__)
    forgotten.add_url_rule("/forgotten", "page", lambda: "open to all")
    attempts = Attempts(settings.rate_limit_redis_url)
    parts = Parts(settings, PresentTime(), attempts, Passwords(QUICK), broker_of_pages)
    with pytest.raises(RuntimeError, match=r"forgotten\.page does not say whom it admits"):
        create_app(parts, [*PAGES, forgotten])


def test_every_answer_tells_browsers_what_they_must_not_do(trying: Dashboard) -> None:
    acme = trying.organization("acme")
    browser = trying.signed_in("ann@acme.com", (acme, "viewer"))
    addresses = ("/sign-in", "/account", "/o/acme/companies", "/nowhere", "/livez",
                 "/o/acme/tried/error/500", "/static/brazebee.css", "/favicon.ico")  # fmt: skip
    for address in addresses:
        answer = browser.client.get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in answer.headers
        kept = answer.headers["Cache-Control"]
        assert ("no-store" in kept) is not address.startswith(("/static", "/favicon"))
        answer.close()


def test_a_static_file_has_an_address_of_its_version(trying: Dashboard) -> None:
    page = trying.browser().get("/sign-in")
    assert "/static/brazebee.css?v=" in page.text
    sheet = trying.browser().get("/static/brazebee.css")
    assert "max-age=31536000" in sheet.headers["Cache-Control"]
    sheet.close()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "That did not work"),
        (403, "Not for your role"),
        (404, "Not found"),
        (413, "Too large"),
        (418, "That did not work"),
        (429, "Too many requests"),
        (500, "Something went wrong"),
        (503, "The database does not answer."),
    ],
)
def test_an_error_is_a_page_that_tells_nothing_internal(
    trying: Dashboard, status: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "brazebee.dashboard"):
        answer = trying.browser().get(f"/o/acme/tried/error/{status}")
    assert answer.status_code == status
    assert said in text_of(answer)
    assert "<!doctype html>" in answer.text
    assert "secret" not in answer.text
    assert "10.9.8.7" not in answer.text
    assert bool(caplog.records) is (status in (500, 503))


def test_without_postgresql_every_page_says_so(dashboard: Dashboard, settings: Settings) -> None:
    browser = dashboard.browser()
    browser.client.set_cookie("brazebee_session", "any")
    database.obj.close_all()
    connect(replace(settings, database_url=NOWHERE))
    answer = browser.client.get("/account")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    ready = browser.client.get("/readyz")
    assert (ready.status_code, ready.get_json()["checks"]["postgres"]) == (503, "down")
    assert browser.client.get("/livez").get_json() == {"status": "alive"}


def test_a_ready_dashboard_says_so(trying: Dashboard) -> None:
    ready = trying.browser().get("/readyz")
    assert ready.get_json() == {"status": "ready", "checks": {"postgres": "ok", "redis": "ok"}}


def test_what_postgresql_cannot_store_is_refused(trying: Dashboard) -> None:
    acme = trying.organization("acme")
    browser = trying.signed_in("ann@acme.com", (acme, "administrator"))
    assert browser.get("/o/acme/settings/audit?person=a%00b").status_code == 400
    assert browser.get("/o/acme%00/companies").status_code == 400
    assert browser.post("/account/name", name="a\0b").status_code == 400
    assert browser.post("/sign-in", email="a\0b", password="c").status_code == 400
    assert browser.get("/o/acme/settings/audit?person=%ff%fe").status_code == 200
    assert browser.get("/o/acme/companies?after=99999999999999999999999").status_code == 303
    assert browser.get("/account", headers={"User-Agent": "x" * 5_000}).status_code == 200


def test_a_body_is_bounded(trying: Dashboard) -> None:
    browser = trying.signed_in("ann@acme.com")
    assert browser.post("/account/name", name="x" * 3_000_000).status_code == 413


@pytest.mark.parametrize(
    "name", ["a/b", "..", ".", "100%", "%2F", "a?b#c", "Großer Kunde", "a\\b", "x y", "a//b/"]
)
def test_an_organization_may_have_any_name(trying: Dashboard, name: str) -> None:
    browser = trying.signed_in("ann@acme.com", (trying.organization(name), "administrator"))
    start = browser.client.get("/", follow_redirects=True)
    assert start.status_code == 200
    assert "No company yet" in text_of(start)
    [settings] = set(re.findall(r'href="([^"]+/settings/developers[^"]*)"', start.text))
    page = browser.client.get(settings, follow_redirects=True)
    [people] = set(re.findall(r'href="([^"]+/settings/people)"', page.text))
    assert f"in {escape(name)} ." in text_of(browser.get(people))


def test_the_layout_links_to_what_the_role_may_open_and_to_nothing_else(
    trying: Dashboard,
) -> None:
    acme = trying.organization("acme")
    as_viewer = text_of(trying.signed_in("v@acme.com", (acme, "viewer")).get("/o/acme/companies"))
    page = trying.signed_in("a@acme.com", (acme, "administrator")).get("/o/acme/companies")
    assert "Settings" in as_viewer
    assert "Settings" in text_of(page)
    developers = "/o/acme/settings/developers"
    viewers = trying.signed_in("w@acme.com", (acme, "viewer")).get(
        developers, follow_redirects=True
    )
    assert "/o/acme/settings/people" not in viewers.text
    administrators = trying.signed_in("b@acme.com", (acme, "administrator"))
    settings = administrators.client.get(developers, follow_redirects=True)
    assert 'href="/o/acme/settings/people"' in settings.text


def test_who_belongs_to_several_organizations_can_switch(trying: Dashboard) -> None:
    acme, other = trying.organization("acme"), trying.organization("B/other")
    browser = trying.signed_in("a@acme.com", (acme, "viewer"), (other, "viewer"))
    page = browser.get("/o/acme/companies").text
    assert 'href="/o/B%252Fother/"' in page
    assert browser.client.get("/o/B%252Fother/", follow_redirects=True).status_code == 200


def test_who_belongs_to_none_is_told_whom_to_ask(trying: Dashboard) -> None:
    page = trying.signed_in("ann@acme.com").get("/")
    assert page.status_code == 200
    assert "You belong to no organization" in text_of(page)
