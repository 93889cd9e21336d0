"""Signing in through OpenID Connect, with a provider of the tests' own."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from config.open_id import OpenIdSettings
from models.database import transaction
from models.organizations import audit_log
from models.people import memberships, people
from tests.support.dashboard.application import NOW, Browser, Dashboard, ServeDashboard, text_of
from tests.support.dashboard.open_id_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Provider,
    running_provider,
)

ANN = {"email": "ann@acme.com", "email_verified": True, "name": "Ann Example"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        running.claims = dict(ANN)
        yield running


@pytest.fixture
def open_id(provider: Provider) -> OpenIdSettings:
    return OpenIdSettings(provider.url, CLIENT_ID, CLIENT_SECRET, "Acme Accounts")


@pytest.fixture
def dashboard(serve_dashboard: ServeDashboard, open_id: OpenIdSettings) -> Dashboard:
    return serve_dashboard(open_id=open_id)


def come_back(browser: Browser, begin: str = "/sign-in/openid") -> TestResponse:
    """Follow the redirects to the provider and back; return the response of the dashboard."""
    sent = browser.get(begin)
    assert sent.status_code == 302, text_of(sent)
    answered = requests.get(sent.location, allow_redirects=False, timeout=5)
    back = urlsplit(answered.headers["Location"])
    return browser.client.get(f"{back.path}?{back.query}")


def assert_rejected(browser: Browser, answer: TestResponse, message: str) -> None:
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert message in text_of(browser.get("/sign-in"))
    assert browser.client.get("/account").status_code == 303


def test_openid_is_not_offered_without_its_settings(serve_dashboard: ServeDashboard) -> None:
    browser = serve_dashboard().browser()
    assert "Sign in with" not in browser.get("/sign-in").text
    assert browser.get("/sign-in/openid").status_code == 404


def test_a_person_with_a_verified_email_is_signed_in(dashboard: Dashboard) -> None:
    acme = dashboard.organization("acme")
    dashboard.person("Ann@acme.com", [(acme, "editor")], password=None)
    browser = dashboard.browser()
    page = browser.get("/sign-in?next=/account")
    assert "Sign in with Acme Accounts" in text_of(page)
    assert 'href="/sign-in/openid?next=/account"' in page.text
    answer = come_back(browser, "/sign-in/openid?next=/account")
    assert (answer.status_code, answer.location) == (303, "/account")
    account = text_of(browser.get("/account"))
    assert "Ann@acme.com" in account
    assert "there is no password to change here" in account
    with transaction():
        [entry] = audit_log.read_page(acme.id, limit=10)
    assert (entry.action, entry.detail["by"]) == ("Signed in", "OpenID Connect")


def test_claims_missing_from_the_token_are_requested(
    dashboard: Dashboard, provider: Provider
) -> None:
    dashboard.person("ann@acme.com")
    provider.claims = {}
    provider.user_info = {"sub": "subject-1", **ANN}
    assert come_back(dashboard.browser()).location == "/"
    provider.user_info["sub"] = "another"
    browser = dashboard.browser()
    assert_rejected(browser, come_back(browser), "did not confirm who you are")


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": ""},
    ],
)
def test_an_unverified_email_is_rejected(
    dashboard: Dashboard, provider: Provider, claims: dict[str, Any]
) -> None:
    dashboard.person("ann@acme.com")
    provider.claims |= claims
    browser = dashboard.browser()
    assert_rejected(browser, come_back(browser), "has not verified your email")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"aud": ["another client"], "azp": CLIENT_ID},
        {"nonce": "another"},
        {"exp": 1_000_000_000},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_for_another_sign_in_is_rejected(
    dashboard: Dashboard, provider: Provider, changes: dict[str, Any]
) -> None:
    dashboard.person("ann@acme.com")
    provider.token_changes = changes
    browser = dashboard.browser()
    assert_rejected(browser, come_back(browser), "did not confirm who you are")


def test_a_token_with_a_foreign_signature_is_rejected(
    dashboard: Dashboard, provider: Provider
) -> None:
    dashboard.person("ann@acme.com")
    provider.signing_key = RSAKey.generate_key(2048, {"kid": "one"})
    browser = dashboard.browser()
    assert_rejected(browser, come_back(browser), "did not confirm who you are")


def test_a_response_is_accepted_once_and_only_from_the_browser_that_started(
    dashboard: Dashboard, provider: Provider
) -> None:
    dashboard.person("ann@acme.com")
    victim, attacker = dashboard.browser(), dashboard.browser()
    sent = attacker.get("/sign-in/openid")
    back = urlsplit(
        requests.get(sent.location, allow_redirects=False, timeout=5).headers["Location"]
    )
    address = f"{back.path}?{back.query}"
    assert_rejected(victim, victim.client.get(address), "did not confirm who you are")
    assert attacker.client.get(address).location == "/"
    assert_rejected(victim, victim.client.get(address), "did not confirm who you are")


@pytest.mark.parametrize("query", ["", "?error=access_denied&state=x", "?code=made-up&state=x"])
def test_a_forged_response_is_rejected(dashboard: Dashboard, query: str) -> None:
    browser = dashboard.browser()
    assert_rejected(browser, browser.get(f"/sign-in/openid/return{query}"), "did not confirm")


def test_an_unreachable_provider_is_reported_and_passwords_still_work(
    serve_dashboard: ServeDashboard, open_id: OpenIdSettings
) -> None:
    dashboard = serve_dashboard(open_id=replace(open_id, issuer="http://127.0.0.1:1"))
    dashboard.person("ann@acme.com")
    browser = dashboard.browser()
    assert_rejected(browser, browser.get("/sign-in/openid"), "is not responding")
    assert browser.sign_in("ann@acme.com").status_code == 303


def test_unknown_people_are_not_created(dashboard: Dashboard) -> None:
    dashboard.organization("default")
    browser = dashboard.browser()
    assert_rejected(browser, come_back(browser), "ann@acme.com may not sign in here.")
    with transaction():
        assert people.find("ann@acme.com") is None


def test_disabled_people_cannot_sign_in(dashboard: Dashboard) -> None:
    person = dashboard.person("ann@acme.com")
    with transaction():
        people.disable(person.id, NOW)
    browser = dashboard.browser()
    assert_rejected(browser, come_back(browser), "ann@acme.com may not sign in here.")


def test_an_allowed_domain_adds_new_members_with_one_role(
    serve_dashboard: ServeDashboard, open_id: OpenIdSettings, provider: Provider
) -> None:
    settings = replace(open_id, domain="ACME.com", default_role="viewer", organization="acme")
    dashboard = serve_dashboard(open_id=settings)
    acme = dashboard.organization("acme")
    browser = dashboard.browser()
    assert come_back(browser).location == "/"
    with transaction():
        [member] = memberships.list_for_organization(acme.id)
        actions = [(e.made_by, e.action) for e in audit_log.read_page(acme.id, limit=10)]
    assert (member.email, member.name, member.role, member.has_password) == (
        "ann@acme.com",
        "Ann Example",
        "viewer",
        False,
    )
    assert actions == [("ann@acme.com", "Signed in"), ("OpenID Connect", "Person added")]
    assert come_back(dashboard.browser()).location == "/"
    for email in ("eve@evil-acme.com", "eve@acme.com.evil.com", "eve@sub.acme.com"):
        provider.claims["email"] = email
        stranger = dashboard.browser()
        assert_rejected(stranger, come_back(stranger), f"{email} may not sign in here.")


def test_the_provider_redirects_to_the_url_that_people_use(
    serve_dashboard: ServeDashboard, open_id: OpenIdSettings
) -> None:
    dashboard = serve_dashboard(open_id=open_id, dashboard_url="https://health.example.com/")
    sent = dashboard.browser().client.get("/sign-in/openid", headers={"Host": "evil.example"})
    [redirect_uri] = parse_qs(urlsplit(sent.location).query)["redirect_uri"]
    assert redirect_uri == "https://health.example.com/sign-in/openid/return"


def test_abandoned_sign_ins_do_not_fill_the_cookie(dashboard: Dashboard) -> None:
    dashboard.person("ann@acme.com")
    browser = dashboard.browser()
    for _ in range(10):
        sent = browser.get("/sign-in/openid")
        [cookie] = [c for c in sent.headers.getlist("Set-Cookie") if c.startswith("brazebee=")]
        assert len(cookie) < 2_500
    assert come_back(browser).location == "/"


@pytest.mark.parametrize("email", ["ann\0@acme.com", "ann\x1b@acme.com", "a" * 9_000, "a b", 7])
def test_an_email_that_is_none_is_refused(
    dashboard: Dashboard, provider: Provider, email: Any
) -> None:
    provider.claims["email"] = email
    browser = dashboard.browser()
    assert_rejected(browser, come_back(browser), "is not an email address.")


def test_what_cannot_be_printed_in_the_name_of_a_newcomer_is_left_out(
    serve_dashboard: ServeDashboard, open_id: OpenIdSettings, provider: Provider
) -> None:
    dashboard = serve_dashboard(
        open_id=replace(open_id, domain="acme.com", default_role="viewer", organization="acme")
    )
    dashboard.organization("acme")
    provider.claims["name"] = "Ann\0 \x1b[2JExample\n" + "x" * 5_000
    assert come_back(dashboard.browser()).location == "/"
    with transaction():
        person = people.find("ann@acme.com")
    assert person is not None
    assert person.name.startswith("Ann [2JExamplexxx")
    assert len(person.name) == 200
