"""Signing in by OpenID Connect, against a provider of the tests' own."""

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
from tests.support.dashboard import NOW, Browser, Dashboard, ServeDashboard, text_of
from tests.support.open_id_provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider

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
    """Go to the provider and back, as a browser does; the dashboard's answer then."""
    sent = browser.get(begin)
    assert sent.status_code == 302, text_of(sent)
    answered = requests.get(sent.location, allow_redirects=False, timeout=5)
    back = urlsplit(answered.headers["Location"])
    return browser.client.get(f"{back.path}?{back.query}")


def check_refused(browser: Browser, answer: TestResponse, said: str) -> None:
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert said in text_of(browser.get("/sign-in"))
    assert browser.client.get("/account").status_code == 303


def test_without_the_settings_there_is_no_such_way(serve_dashboard: ServeDashboard) -> None:
    browser = serve_dashboard().browser()
    assert "Sign in with" not in browser.get("/sign-in").text
    assert browser.get("/sign-in/openid").status_code == 404


def test_somebody_with_a_verified_email_is_signed_in_as_who_they_are(dashboard: Dashboard) -> None:
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


def test_what_the_token_leaves_out_is_asked_for(dashboard: Dashboard, provider: Provider) -> None:
    dashboard.person("ann@acme.com")
    provider.claims = {}
    provider.told = {"sub": "subject-1", **ANN}
    assert come_back(dashboard.browser()).location == "/"
    provider.told["sub"] = "another"
    browser = dashboard.browser()
    check_refused(browser, come_back(browser), "did not confirm who you are")


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": ""},
    ],
)
def test_an_email_that_is_not_verified_lets_nobody_in(
    dashboard: Dashboard, provider: Provider, claims: dict[str, Any]
) -> None:
    dashboard.person("ann@acme.com")
    provider.claims |= claims
    browser = dashboard.browser()
    check_refused(browser, come_back(browser), "has not verified your email")


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
def test_a_token_that_is_not_for_this_sign_in_is_refused(
    dashboard: Dashboard, provider: Provider, changes: dict[str, Any]
) -> None:
    dashboard.person("ann@acme.com")
    provider.changes = changes
    browser = dashboard.browser()
    check_refused(browser, come_back(browser), "did not confirm who you are")


def test_a_token_that_somebody_else_signed_is_refused(
    dashboard: Dashboard, provider: Provider
) -> None:
    dashboard.person("ann@acme.com")
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    browser = dashboard.browser()
    check_refused(browser, come_back(browser), "did not confirm who you are")


def test_an_answer_is_taken_only_by_the_browser_that_asked_and_once(
    dashboard: Dashboard, provider: Provider
) -> None:
    dashboard.person("ann@acme.com")
    victim, attacker = dashboard.browser(), dashboard.browser()
    sent = attacker.get("/sign-in/openid")
    back = urlsplit(
        requests.get(sent.location, allow_redirects=False, timeout=5).headers["Location"]
    )
    address = f"{back.path}?{back.query}"
    check_refused(victim, victim.client.get(address), "did not confirm who you are")
    assert attacker.client.get(address).location == "/"
    check_refused(victim, victim.client.get(address), "did not confirm who you are")


@pytest.mark.parametrize("query", ["", "?error=access_denied&state=x", "?code=made-up&state=x"])
def test_an_answer_that_was_made_up_is_refused(dashboard: Dashboard, query: str) -> None:
    browser = dashboard.browser()
    check_refused(browser, browser.get(f"/sign-in/openid/return{query}"), "did not confirm")


def test_a_provider_that_is_away_is_told_and_the_password_still_works(
    serve_dashboard: ServeDashboard, open_id: OpenIdSettings
) -> None:
    dashboard = serve_dashboard(open_id=replace(open_id, issuer="http://127.0.0.1:1"))
    dashboard.person("ann@acme.com")
    browser = dashboard.browser()
    check_refused(browser, browser.get("/sign-in/openid"), "is not responding")
    assert browser.sign_in("ann@acme.com").status_code == 303


def test_nobody_is_made_whom_no_administrator_has_added(dashboard: Dashboard) -> None:
    dashboard.organization("default")
    browser = dashboard.browser()
    check_refused(browser, come_back(browser), "ann@acme.com may not sign in here.")
    with transaction():
        assert people.find("ann@acme.com") is None


def test_who_is_disabled_stays_out(dashboard: Dashboard) -> None:
    person = dashboard.person("ann@acme.com")
    with transaction():
        people.disable(person.id, NOW)
    browser = dashboard.browser()
    check_refused(browser, come_back(browser), "ann@acme.com may not sign in here.")


def test_a_domain_that_may_brings_new_members_of_one_role(
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
        check_refused(stranger, come_back(stranger), f"{email} may not sign in here.")


def test_the_provider_sends_people_back_to_the_address_that_they_open(
    serve_dashboard: ServeDashboard, open_id: OpenIdSettings
) -> None:
    dashboard = serve_dashboard(open_id=open_id, dashboard_url="https://health.example.com/")
    sent = dashboard.browser().client.get("/sign-in/openid", headers={"Host": "evil.example"})
    [wanted] = parse_qs(urlsplit(sent.location).query)["redirect_uri"]
    assert wanted == "https://health.example.com/sign-in/openid/return"


def test_giving_up_again_and_again_does_not_fill_the_cookie(dashboard: Dashboard) -> None:
    dashboard.person("ann@acme.com")
    browser = dashboard.browser()
    for _ in range(10):
        sent = browser.get("/sign-in/openid")
        [cookie] = [c for c in sent.headers.getlist("Set-Cookie") if c.startswith("brazebee=")]
        assert len(cookie) < 2_500
    assert come_back(browser).location == "/"
