"""Access to pages and changes, and the headers of every response."""

import logging
import re
from dataclasses import replace

import psycopg2
import pytest
from flask import Blueprint, abort
from flask.typing import ResponseReturnValue
from markupsafe import escape

from config.settings import Settings
from dashboard.access import Member, administrator, audit, editor, public, viewer
from dashboard.access.sign_in_attempts import SignInAttempts
from dashboard.app import PAGES, create_app
from dashboard.web.context import AppContext
from models.database import connect, database, transaction
from models.organizations import audit_log
from models.people import memberships
from queues.broker import QueueBroker
from services.accounts.passwords import Passwords
from tests.support.dashboard.application import QUICK, Dashboard, PresentTime, text_of
from tests.support.ingress.application import NOWHERE

ROLES = ("viewer", "editor", "administrator")
SIGNED = re.compile(r"\.[\w-]{6}\.[\w-]{27}(?=\")")


def sample_pages() -> Blueprint:
    """Pages that only check access."""
    blueprint = Blueprint("sample", __name__, url_prefix="/o/<name:organization>/sample")

    def describe(member: Member) -> str:
        return f"{member.person.email} {member.organization.name} {member.role.value}"

    blueprint.add_url_rule("/viewer", "viewer", viewer(describe))
    blueprint.add_url_rule("/editor", "editor", editor(describe))
    blueprint.add_url_rule("/administrator", "administrator", administrator(describe))

    @blueprint.post("/change")
    @editor
    def change(member: Member) -> ResponseReturnValue:
        with transaction():
            audit.record(member, "Sample change", "a change", {"n": 1})
        return "changed"

    @blueprint.get("/error/<int:status>")
    @public
    def error(organization: str, status: int) -> ResponseReturnValue:
        if status == 500:
            raise RuntimeError(f"a secret of {organization}")
        if status == 503:
            raise psycopg2.OperationalError("server closed the connection at 10.9.8.7")
        abort(status)

    return blueprint


@pytest.fixture
def sampling(settings: Settings, broker_of_pages: QueueBroker) -> Dashboard:
    """A dashboard with sample pages."""
    clock = PresentTime()
    attempts = SignInAttempts(settings.rate_limit_redis_url)
    context = AppContext(settings, clock, attempts, Passwords(QUICK), broker_of_pages)
    return Dashboard(create_app(context, [*PAGES, sample_pages()]), clock)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_includes_the_roles_before_it(sampling: Dashboard, role: str) -> None:
    acme = sampling.organization("acme")
    browser = sampling.signed_in("ann@acme.com", (acme, role))
    for rank, required in enumerate(ROLES):
        answer = browser.client.get(f"/o/acme/sample/{required}")
        if rank <= ROLES.index(role):
            assert (answer.status_code, answer.text) == (200, f"ann@acme.com acme {role}")
        else:
            assert answer.status_code == 403
            assert "Your role does not include this." in text_of(answer)


def test_a_role_applies_to_its_organization_only_and_ends_immediately(sampling: Dashboard) -> None:
    acme, other = sampling.organization("acme"), sampling.organization("other")
    browser = sampling.signed_in("ann@acme.com", (acme, "administrator"), (other, "viewer"))
    assert browser.get("/o/acme/sample/administrator").status_code == 200
    assert browser.get("/o/other/sample/administrator").status_code == 403
    assert browser.get("/o/other/sample/viewer").status_code == 200
    [person] = {row.person_id for row in _members(acme.id)}
    with transaction():
        memberships.set_role(acme.id, person, "viewer")
        memberships.remove(other.id, person)
    assert browser.get("/o/acme/sample/administrator").status_code == 403
    assert browser.get("/o/other/sample/viewer").status_code == 404


def _members(organization_id: int) -> list[memberships.ListedMember]:
    with transaction():
        return memberships.list_for_organization(organization_id)


def test_an_organization_is_hidden_from_people_who_are_not_members(sampling: Dashboard) -> None:
    acme = sampling.organization("acme")
    sampling.organization("rivals")
    browser = sampling.signed_in("ann@acme.com", (acme, "administrator"))
    for page in ("sample/viewer", "sample/administrator", "companies", "settings/people", ""):
        there = browser.client.get(f"/o/rivals/{page}")
        nowhere = browser.client.get(f"/o/nobodys/{page}")
        assert there.status_code == nowhere.status_code == 404
        # A token contains the second in which it was signed.
        assert SIGNED.sub("", there.text) == SIGNED.sub("", nowhere.text)


def test_visitors_who_are_not_signed_in_are_redirected_to_the_sign_in_page(
    sampling: Dashboard,
) -> None:
    acme = sampling.organization("acme")
    browser = sampling.browser()
    for address in ("/", "/account", "/o/acme/", "/o/nobodys/", "/o/acme/settings/people"):
        response = browser.get(address)
        assert response.status_code == 303
        assert response.location.startswith("/sign-in")
    browser.get("/sign-in")
    assert browser.post("/o/acme/sample/change").location == "/sign-in"
    assert _audit_entries(acme.id) == []


def test_a_fragment_request_redirects_the_whole_page_to_sign_in(sampling: Dashboard) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/o/acme/companies?x=1"}
    response = sampling.browser().get("/o/acme/sample/viewer", headers=headers)
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/sign-in?next=/o/acme/companies"
    assert response.text == ""


def _audit_entries(organization_id: int) -> list[str]:
    with transaction():
        entries = audit_log.read_page(organization_id, action="Sample change", limit=10)
    return [f"{entry.made_by} {entry.subject} {dict(entry.detail)}" for entry in entries]


def test_a_change_requires_the_csrf_token_of_its_page(sampling: Dashboard) -> None:
    acme = sampling.organization("acme")
    browser = sampling.signed_in("ann@acme.com", (acme, "editor"))
    other_browser = sampling.signed_in("bob@acme.com", (acme, "editor"))
    address = "/o/acme/sample/change"
    for form in ({}, {"csrf_token": "invented"}, {"csrf_token": other_browser.token}):
        refused = browser.client.post(address, data=form)
        assert refused.status_code == 400
        assert "This page was open for too long." in text_of(refused)
    assert _audit_entries(acme.id) == []
    assert browser.post(address).text == "changed"
    by_htmx = browser.client.post(address, headers={"X-CSRFToken": str(browser.token)})
    assert by_htmx.text == "changed"
    assert _audit_entries(acme.id) == ["ann@acme.com a change {'n': 1}"] * 2


@pytest.mark.parametrize("address", ["/sign-in", "/sign-out", "/account/name", "/account/password",
                                     "/account/sessions/end", "/account/sessions/1/end",
                                     "/o/acme/settings/people"])  # fmt: skip
def test_no_page_accepts_a_change_without_a_token(sampling: Dashboard, address: str) -> None:
    acme = sampling.organization("acme")
    browser = sampling.signed_in("ann@acme.com", (acme, "administrator"))
    form = {"email": "x@acme.com", "role": "viewer", "name": "X"}
    assert browser.client.post(address, data=form).status_code == 400


def test_every_endpoint_accepts_either_get_or_post(sampling: Dashboard) -> None:
    for rule in sampling.app.url_map.iter_rules():
        assert rule.methods is not None
        methods = rule.methods - {"HEAD", "OPTIONS"}
        assert methods in ({"GET"}, {"POST"}), rule


def test_the_dashboard_does_not_start_with_a_page_that_declares_no_access(
    settings: Settings, broker_of_pages: QueueBroker
) -> None:
    undeclared = Blueprint("undeclared", __name__)
    undeclared.add_url_rule("/undeclared", "page", lambda: "open to all")
    attempts = SignInAttempts(settings.rate_limit_redis_url)
    context = AppContext(settings, PresentTime(), attempts, Passwords(QUICK), broker_of_pages)
    with pytest.raises(RuntimeError, match=r"undeclared\.page does not declare who may open it"):
        create_app(context, [*PAGES, undeclared])


def test_every_response_has_security_headers(sampling: Dashboard) -> None:
    acme = sampling.organization("acme")
    browser = sampling.signed_in("ann@acme.com", (acme, "viewer"))
    addresses = ("/sign-in", "/account", "/o/acme/companies", "/nowhere", "/livez",
                 "/o/acme/sample/error/500", "/static/style/base.css", "/favicon.ico")  # fmt: skip
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
        caching = answer.headers["Cache-Control"]
        assert ("no-store" in caching) is not address.startswith(("/static", "/favicon"))
        answer.close()


def test_the_address_of_a_static_file_contains_its_version(sampling: Dashboard) -> None:
    page = sampling.browser().get("/sign-in")
    assert "/static/style/base.css?v=" in page.text
    sheet = sampling.browser().get("/static/style/base.css")
    assert "max-age=31536000" in sheet.headers["Cache-Control"]
    sheet.close()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "Bad request"),
        (403, "Not allowed"),
        (404, "Not found"),
        (413, "Too large"),
        (418, "Bad request"),
        (429, "Too many requests"),
        (500, "Something went wrong"),
        (503, "The database is not responding."),
    ],
)
def test_an_error_page_reveals_nothing_internal(
    sampling: Dashboard, status: int, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "brazebee.dashboard"):
        answer = sampling.browser().get(f"/o/acme/sample/error/{status}")
    assert answer.status_code == status
    assert text in text_of(answer)
    assert "<!doctype html>" in answer.text
    assert "secret" not in answer.text
    assert "10.9.8.7" not in answer.text
    assert bool(caplog.records) is (status in (500, 503))


def test_without_postgresql_every_page_is_503(dashboard: Dashboard, settings: Settings) -> None:
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


def test_readyz_reports_every_server(sampling: Dashboard) -> None:
    ready = sampling.browser().get("/readyz")
    assert ready.get_json() == {"status": "ready", "checks": {"postgres": "ok", "redis": "ok"}}


def test_values_that_postgresql_cannot_store_are_rejected(sampling: Dashboard) -> None:
    acme = sampling.organization("acme")
    browser = sampling.signed_in("ann@acme.com", (acme, "administrator"))
    assert browser.get("/o/acme/settings/audit?person=a%00b").status_code == 400
    assert browser.get("/o/acme%00/companies").status_code == 400
    assert browser.post("/account/name", name="a\0b").status_code == 400
    assert browser.post("/sign-in", email="a\0b", password="c").status_code == 400
    assert browser.get("/o/acme/settings/audit?person=%ff%fe").status_code == 200
    assert browser.get("/o/acme/companies?after=99999999999999999999999").status_code == 303
    assert browser.get("/account", headers={"User-Agent": "x" * 5_000}).status_code == 200


def test_the_size_of_a_body_is_limited(sampling: Dashboard) -> None:
    browser = sampling.signed_in("ann@acme.com")
    assert browser.post("/account/name", name="x" * 3_000_000).status_code == 413


@pytest.mark.parametrize(
    "name", ["a/b", "..", ".", "100%", "%2F", "a?b#c", "Großer Kunde", "a\\b", "x y", "a//b/"]
)
def test_an_organization_can_have_any_name(sampling: Dashboard, name: str) -> None:
    browser = sampling.signed_in("ann@acme.com", (sampling.organization(name), "administrator"))
    start = browser.client.get("/", follow_redirects=True)
    assert start.status_code == 200
    assert "No companies yet" in text_of(start)
    [settings] = set(re.findall(r'href="([^"]+/settings/developers)"', start.text))
    page = browser.client.get(settings, follow_redirects=True)
    [people] = set(re.findall(r'href="([^"]+/settings/people)"', page.text))
    assert f"in {escape(name)} ." in text_of(browser.get(people))


def test_the_layout_links_only_to_pages_that_the_role_may_open(
    sampling: Dashboard,
) -> None:
    acme = sampling.organization("acme")
    as_viewer = text_of(sampling.signed_in("v@acme.com", (acme, "viewer")).get("/o/acme/companies"))
    page = sampling.signed_in("a@acme.com", (acme, "administrator")).get("/o/acme/companies")
    assert "Settings" in as_viewer
    assert "Settings" in text_of(page)
    developers = "/o/acme/settings/developers"
    viewers = sampling.signed_in("w@acme.com", (acme, "viewer")).get(
        developers, follow_redirects=True
    )
    assert "/o/acme/settings/people" not in viewers.text
    administrators = sampling.signed_in("b@acme.com", (acme, "administrator"))
    settings = administrators.client.get(developers, follow_redirects=True)
    assert 'href="/o/acme/settings/people"' in settings.text


def test_a_member_of_several_organizations_can_switch(sampling: Dashboard) -> None:
    acme, other = sampling.organization("acme"), sampling.organization("B/other")
    browser = sampling.signed_in("a@acme.com", (acme, "viewer"), (other, "viewer"))
    page = browser.get("/o/acme/companies").text
    assert 'href="/o/B%252Fother/"' in page
    assert browser.client.get("/o/B%252Fother/", follow_redirects=True).status_code == 200


def test_a_person_without_an_organization_learns_whom_to_ask(sampling: Dashboard) -> None:
    page = sampling.signed_in("ann@acme.com").get("/")
    assert page.status_code == 200
    assert "You are not a member of any organization" in text_of(page)
