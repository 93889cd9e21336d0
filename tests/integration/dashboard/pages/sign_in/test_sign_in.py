"""Signing in and out: forms, responses, and what is stored."""

import re
import time

import pytest
from argon2 import PasswordHasher

from config.settings import Settings
from dashboard.access.sign_in_attempts import SignInAttempts
from dashboard.app import create_app
from dashboard.pages.sign_in.page import WRONG
from dashboard.web.context import AppContext
from models.database import query, transaction
from models.people import people, sessions
from queues.broker import QueueBroker
from services.accounts.passwords import Passwords
from tests.support.dashboard.application import (
    NOW,
    PASSWORD,
    Dashboard,
    PresentTime,
    ServeDashboard,
    text_of,
)
from tests.support.ingress.application import NO_REDIS


def stored(table: str) -> list[dict[str, object]]:
    with transaction():
        return query(f"select * from {table} order by id")


def test_email_and_password_lead_to_the_persons_organization(
    dashboard: Dashboard,
) -> None:
    acme = dashboard.organization("acme")
    dashboard.person("ann@acme.com", [(acme, "viewer")])
    browser = dashboard.browser()
    signed_in = browser.sign_in("Ann@ACME.com ")
    assert (signed_in.status_code, signed_in.location) == (303, "/")
    start = browser.client.get("/", follow_redirects=True)
    assert start.status_code == 200
    assert start.request.path == "/o/acme/"
    assert "No companies yet" in text_of(start)
    with transaction():
        person_row = people.find("ann@acme.com")
    assert person_row is not None
    assert person_row.signed_in_at == NOW


def test_a_signed_in_person_is_redirected_from_the_sign_in_page(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")
    again = browser.get("/sign-in?next=/account")
    assert (again.status_code, again.location) == (303, "/account")


def test_after_signing_in_a_person_gets_the_page_they_requested(dashboard: Dashboard) -> None:
    acme = dashboard.organization("acme")
    dashboard.person("ann@acme.com", [(acme, "viewer")])
    browser = dashboard.browser()
    redirected = browser.get("/o/acme/companies?after=7&x=a%26b")
    assert redirected.status_code == 303
    page = browser.get(redirected.location)
    assert "Sign in" in text_of(page)
    signed_in = browser.post(redirected.location, email="ann@acme.com", password=PASSWORD)
    assert signed_in.location == "/o/acme/companies?after=7&x=a%26b"


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)",
     "/%0d%0aSet-Cookie:x", "evil", "///evil.example", "/\tx"],
)  # fmt: skip
def test_signing_in_never_redirects_to_another_host(dashboard: Dashboard, elsewhere: str) -> None:
    dashboard.person("ann@acme.com")
    browser = dashboard.browser()
    browser.get("/sign-in")
    signed_in = browser.client.post(
        "/sign-in",
        query_string={"next": elsewhere},
        data={"email": "ann@acme.com", "password": PASSWORD, "csrf_token": browser.token},
    )
    assert signed_in.status_code == 303
    assert re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", signed_in.location)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@acme.com", "wrong horse battery"),
        ("nobody@acme.com", PASSWORD),
        ("oidc@acme.com", PASSWORD),
        ("gone@acme.com", PASSWORD),
        ("ann@acme.com", PASSWORD + " "),
    ],
    ids=["wrong password", "unknown email", "without password", "disabled", "almost right"],
)
def test_the_response_is_the_same_whichever_credential_is_wrong(
    dashboard: Dashboard, email: str, password: str
) -> None:
    dashboard.person("ann@acme.com")
    dashboard.person("oidc@acme.com", password=None)
    gone = dashboard.person("gone@acme.com")
    with transaction():
        people.disable(gone.id, NOW)
    refused = dashboard.browser().sign_in(email, password)
    assert refused.status_code == 422
    assert WRONG in text_of(refused)
    assert "brazebee_session" not in refused.headers.get("Set-Cookie", "")
    assert password not in refused.text
    assert stored("sessions") == []


def test_an_unknown_email_takes_about_as_long_as_a_wrong_password(
    settings: Settings, broker_of_pages: QueueBroker
) -> None:
    attempts = SignInAttempts(
        settings.rate_limit_redis_url,
        per_pair="999 per hour",
        per_address="999 per hour",
        per_email="999 per hour",
    )
    slow = Passwords(PasswordHasher(time_cost=3, memory_cost=16_384, parallelism=1))
    app = create_app(AppContext(settings, PresentTime(), attempts, slow, broker_of_pages))
    dashboard = Dashboard(app, PresentTime(), slow)
    dashboard.person("ann@acme.com")
    dashboard.person("oidc@acme.com", password=None)
    browser = dashboard.browser()
    browser.get("/sign-in")

    def seconds(email: str) -> float:
        began = time.process_time()  # what a busy machine does not stretch
        browser.post("/sign-in", email=email, password="wrong horse battery")
        return time.process_time() - began

    emails = ("ann@acme.com", "nobody@acme.com", "oidc@acme.com")
    rounds = [{email: seconds(email) for email in emails} for _ in range(5)]
    took = {email: min(times[email] for times in rounds) for email in emails}  # the least disturbed
    assert max(took.values()) < 2 * min(took.values()), took
    attempts.client.connection_pool.disconnect()


def test_missing_entries_are_reported_at_their_field(dashboard: Dashboard) -> None:
    browser = dashboard.browser()
    browser.get("/sign-in")
    refused = browser.post("/sign-in", email=" ", password="")
    assert refused.status_code == 422
    text = text_of(refused)
    assert "Enter your email." in text
    assert "Enter your password." in text


def test_guessing_is_limited_without_locking_out_the_owner(dashboard: Dashboard) -> None:
    dashboard.person("ann@acme.com")
    for _ in range(10):
        refused = dashboard.browser("10.0.0.1").sign_in("ANN@acme.com", "wrong")
        assert refused.status_code == 422
    waits = dashboard.browser("10.0.0.1").sign_in("ann@acme.com")
    assert waits.status_code == 429
    assert "Too many attempts" in text_of(waits)
    assert 0 < int(waits.headers["Retry-After"]) <= 15 * 60
    assert dashboard.browser("10.0.0.1").sign_in("bob@acme.com").status_code == 422
    assert dashboard.browser("10.0.0.2").sign_in("ann@acme.com").status_code == 303
    assert dashboard.browser("10.0.0.1").sign_in("ann@acme.com").status_code == 429


def test_guesses_from_many_addresses_are_limited_by_email(dashboard: Dashboard) -> None:
    dashboard.person("ann@acme.com")
    for number in range(100):
        refused = dashboard.browser(f"10.0.0.{number}").sign_in("ann@acme.com", "wrong")
        assert refused.status_code == 422
    waits = dashboard.browser("10.0.1.1").sign_in("ann@acme.com")
    assert waits.status_code == 429
    assert 0 < int(waits.headers["Retry-After"]) <= 60 * 60
    assert dashboard.browser("10.0.1.1").sign_in("bob@acme.com").status_code == 422


def test_an_address_with_too_many_failures_is_limited_for_all_emails(
    dashboard: Dashboard,
) -> None:
    dashboard.person("ann@acme.com")
    for number in range(30):
        refused = dashboard.browser(f"2001:db8:1:1::{number:x}").sign_in(f"p{number}@acme.com")
        assert refused.status_code == 422
    assert dashboard.browser("2001:db8:1:1:ffff::1").sign_in("ann@acme.com").status_code == 429
    assert dashboard.browser("2001:db8:1:2::1").sign_in("ann@acme.com").status_code == 303


def test_signing_in_resets_earlier_failures(dashboard: Dashboard) -> None:
    dashboard.person("ann@acme.com")
    for _ in range(3):
        for _ in range(9):
            dashboard.browser("10.0.0.1").sign_in("ann@acme.com", "wrong")
        assert dashboard.browser("10.0.0.1").sign_in("ann@acme.com").status_code == 303


def test_without_redis_nobody_can_sign_in_but_sessions_continue(
    serve_dashboard: ServeDashboard,
) -> None:
    acme = serve_dashboard().organization("acme")
    browser = serve_dashboard().signed_in("ann@acme.com", (acme, "viewer"))
    without = serve_dashboard(limits_url=NO_REDIS)
    refused = without.browser().sign_in("ann@acme.com")
    assert refused.status_code == 503
    assert "Signing in is not possible right now." in text_of(refused)
    token = browser.client.get_cookie("brazebee_session")
    assert token is not None
    other = without.browser()
    other.client.set_cookie("brazebee_session", token.value)
    assert other.get("/o/acme/companies").status_code == 200


def test_a_hash_with_old_parameters_is_renewed_at_the_next_sign_in(dashboard: Dashboard) -> None:
    person = dashboard.person("ann@acme.com", password=None)
    former = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)).hash(PASSWORD)
    with transaction():
        people.set_password_hash(person.id, former)
    assert dashboard.browser().sign_in("ann@acme.com").status_code == 303
    with transaction():
        person_row = people.find_by_id(person.id)
    assert person_row is not None
    assert person_row.password_hash is not None
    assert "m=8,t=1,p=1" in person_row.password_hash
    assert dashboard.browser().sign_in("ann@acme.com").status_code == 303


def test_neither_password_nor_token_is_stored(dashboard: Dashboard) -> None:
    browser = dashboard.signed_in("ann@acme.com")
    token = browser.client.get_cookie("brazebee_session")
    assert token is not None
    [person], [session] = stored("people"), stored("sessions")
    assert str(person["password_hash"]).startswith("$argon2id$")
    assert bytes(session["sha256"]) == sessions.digest(token.value)  # type: ignore[arg-type]
    assert token.value not in str(session)


def test_cookies_are_inaccessible_to_scripts_and_other_sites(dashboard: Dashboard) -> None:
    dashboard.person("ann@acme.com")
    cookies = dashboard.browser().sign_in("ann@acme.com").headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
        assert "Secure" not in cookie


@pytest.mark.parametrize(
    ("changes", "environ"),
    [
        ({"trusted_proxies": 1}, {"HTTP_X_FORWARDED_PROTO": "https"}),
        ({"dashboard_url": "https://health.example.com"}, {}),
    ],
    ids=["by the proxy", "by the setting"],
)
def test_cookies_are_secure_behind_https(
    serve_dashboard: ServeDashboard, changes: dict[str, object], environ: dict[str, str]
) -> None:
    dashboard = serve_dashboard(**changes)
    dashboard.person("ann@acme.com")
    browser = dashboard.browser(**environ)
    headers = {"Referer": "https://localhost/sign-in"}
    page = browser.get("/sign-in", base_url="https://localhost")
    form = {"email": "ann@acme.com", "password": PASSWORD, "csrf_token": browser.token}
    signed_in = browser.client.post(
        "/sign-in", data=form, headers=headers, base_url="https://localhost"
    )
    assert signed_in.status_code == 303, text_of(signed_in)
    cookies = signed_in.headers.getlist("Set-Cookie")
    assert any(cookie.startswith("__Host-brazebee_session=") for cookie in cookies)
    assert all("Secure" in cookie for cookie in cookies)
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_only_trusted_proxies_can_forward_client_addresses(
    serve_dashboard: ServeDashboard,
) -> None:
    dashboard = serve_dashboard()
    dashboard.person("ann@acme.com")
    browser = dashboard.browser("10.0.0.1", HTTP_X_FORWARDED_FOR="1.2.3.4")
    browser.sign_in("ann@acme.com")
    assert [row["address"] for row in stored("sessions")] == ["10.0.0.1"]
    behind = serve_dashboard(trusted_proxies=1)
    behind.browser("10.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 1.2.3.4").sign_in("ann@acme.com")
    assert stored("sessions")[-1]["address"] == "1.2.3.4"


def test_signing_in_is_in_the_audit_log_of_every_organization_of_the_person(
    dashboard: Dashboard,
) -> None:
    acme, other = dashboard.organization("acme"), dashboard.organization("other")
    dashboard.organization("nobodys")
    dashboard.signed_in("ann@acme.com", (acme, "viewer"), (other, "editor"))
    logged = stored("audit_log")
    assert {row["organization_id"] for row in logged} == {acme.id, other.id}
    for row in logged:
        assert (row["action"], row["made_by"], row["at"]) == ("Signed in", "ann@acme.com", NOW)
        assert row["detail"] == {"by": "password", "address": "10.0.0.1"}
