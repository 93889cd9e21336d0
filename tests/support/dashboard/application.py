"""The dashboard for tests: an application, people, and browsers without scripts."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.settings import Settings
from dashboard.access.sign_in_attempts import SignInAttempts
from dashboard.app import create_app
from dashboard.web.context import AppContext
from models.database import transaction
from models.organizations import organizations
from models.organizations.organizations import Organization
from models.people import memberships, people
from models.people.people import Person
from queues.broker import QueueBroker
from services.accounts.passwords import Passwords
from services.rules.rule_books import RuleBooks

NOW = datetime(2026, 1, 20, 10, 30, 5, 123456, tzinfo=UTC)
PASSWORD = "correct horse battery"

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Parameters that make hashing fast."""

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class PresentTime:
    """A clock that a test sets."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


class ForgetfulRuleBooks(RuleBooks):
    """A cache that can be emptied: the organizations of two tests have the same ids."""

    def forget(self) -> None:
        self._books.clear()


class Browser:
    """A browser that keeps cookies and sends the CSRF token of the latest page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token: str | None = None

    def get(self, address: str, **options: Any) -> TestResponse:
        response = self.client.get(address, **options)
        match = _TOKEN.search(response.text)
        if match:
            self.token = match.group(1)
        return response

    def post(self, address: str, **form: Any) -> TestResponse:
        """Submit a form with the CSRF token, as pages do."""
        return self.client.post(address, data={**form, "csrf_token": self.token})

    def sign_in(self, email: str, password: str = PASSWORD, goal: str = "") -> TestResponse:
        address = f"/sign-in?next={goal}" if goal else "/sign-in"
        self.get(address)
        response = self.post(address, email=email, password=password)
        if response.status_code == 303:
            self.get("/account")  # for a token of the session
        return response


@dataclass
class Dashboard:
    """A running dashboard with its clock."""

    app: Flask
    clock: PresentTime
    passwords: Passwords = field(default_factory=lambda: Passwords(QUICK))
    rulebooks: ForgetfulRuleBooks = field(default_factory=ForgetfulRuleBooks)

    def reset(self) -> None:
        """Undo what a test has changed in this process."""
        self.clock.at = NOW
        self.rulebooks.forget()

    def browser(self, address: str = "10.0.0.1", **environ: str) -> Browser:
        client = self.app.test_client()
        client.environ_base = {**client.environ_base, "REMOTE_ADDR": address, **environ}
        return Browser(client)

    def organization(self, name: str) -> Organization:
        with transaction():
            return organizations.create(name)

    def find_organization(self, name: str) -> Organization:
        with transaction():
            found = organizations.find(name)
        assert found is not None
        return found

    def person(
        self,
        email: str,
        roles: Sequence[tuple[Organization, str]] = (),
        password: str | None = PASSWORD,
    ) -> Person:
        password_hash = self.passwords.hash(password) if password else None
        with transaction():
            person = people.create(email, email.split("@", maxsplit=1)[0].title(), password_hash)
            for organization, role in roles:
                memberships.add(organization.id, person.id, role)
        return person

    def signed_in(self, email: str, *roles: tuple[Organization, str]) -> Browser:
        """Return the browser of a new person who has just signed in."""
        self.person(email, roles)
        browser = self.browser()
        assert browser.sign_in(email).status_code == 303
        return browser


ServeDashboard = Callable[..., Dashboard]


def new_dashboard(settings: Settings, attempts: SignInAttempts, broker: QueueBroker) -> Dashboard:
    """Build the dashboard like `dashboard/rsgi.py`, with a clock that a test sets."""
    clock, rulebooks = PresentTime(), ForgetfulRuleBooks()
    app = create_app(
        AppContext(
            settings=settings,
            clock=clock,
            sign_in_attempts=attempts,
            passwords=Passwords(QUICK),
            broker=broker,
            rulebooks=rulebooks,
        )
    )
    return Dashboard(app, clock, rulebooks=rulebooks)


def text_of(response: TestResponse) -> str:
    """Return the text of a page, without tags and with single spaces."""
    markup = without_isolation(response.text)
    without = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", markup, flags=re.DOTALL)
    return re.sub(r"\s+", " ", without)


def without_isolation(page: str) -> str:
    """Return markup without what isolates or breaks names, and repeats them as titles."""
    unwrapped = re.sub(r'<span dir="ltr">(.*?)</span>', r"\1", page, flags=re.DOTALL)
    return re.sub(r'</?bdi[^>]*>|<wbr>|(?<=[a-z"]) (?:data-title|title)="[^"]*"', "", unwrapped)
