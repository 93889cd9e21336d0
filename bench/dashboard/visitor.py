"""Requests pages of the dashboard and the read API like people and programs, and measures the cost.

The application runs in this process, so a figure covers its own work and PostgreSQL's.
"""

import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import quantiles

from flask import Flask

from config.process import ALLOCATIONS_OF_PAGES, collect_garbage_rarely
from config.settings import Settings
from dashboard.access.sign_in_attempts import SignInAttempts
from dashboard.app import create_app
from dashboard.web.context import AppContext
from models.database import query, transaction
from models.keys import api_keys
from models.keys.scopes import Scope
from models.organizations.organizations import Organization
from models.people import memberships, people
from queues.broker import CLIENT_TIMEOUT, build_broker
from services.accounts.passwords import Passwords

UNCOUNTED = 3
EMAIL = "ann@example.com"
OWNER = "r3"
"""An owner of every twelfth company; see `past_year`."""

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_NEXT = re.compile(r'<a (?=[^>]*rel="next")[^>]*href="([^"]*)"')


@dataclass(frozen=True)
class Request:
    """A page, or a `fragment` of one, with addresses that are requested in turn."""

    page: str
    addresses: Iterator[str]
    fragment: bool = False


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one request, and its average CPU in milliseconds, in both processes."""

    page: str
    p50: float
    p95: float
    python: float
    postgres: float


class Visitor:
    """An administrator of an organization who owns companies, with a key for the read API."""

    def __init__(self, settings: Settings, organization: Organization, now: datetime) -> None:
        self._client = _application(settings, now).test_client()
        password = secrets.token_hex()
        password_hash = Passwords().hash(password)
        with transaction():
            person = people.find(EMAIL) or people.create(EMAIL, "Ann", None)
            people.set_password_hash(person.id, password_hash)
            memberships.add(organization.id, person.id, "administrator")
            memberships.set_owner_values(organization.id, person.id, [OWNER])
            self._key = api_keys.create(organization.id, "pages", [Scope.READ])
        self._sign_in(password)

    def cost_of(self, request: Request, repeats: int) -> Cost:
        """Request a page `repeats` times, after a few requests that are not counted.

        Raises:
            RuntimeError: the page does not exist.
        """
        backend = _backend()
        times: list[float] = []
        python = postgres = 0.0
        for number in range(repeats + UNCOUNTED):
            if number == UNCOUNTED:
                python, postgres = time.process_time(), _cpu_s(backend)
            started = time.perf_counter()
            self.get(next(request.addresses), fragment=request.fragment)
            times.append((time.perf_counter() - started) * 1000)
        python, postgres = time.process_time() - python, _cpu_s(backend) - postgres
        parts = quantiles(times[UNCOUNTED:], n=20, method="inclusive")
        return Cost(
            request.page, parts[9], parts[18], python * 1000 / repeats, postgres * 1000 / repeats
        )

    def get(self, address: str, *, fragment: bool = False) -> str:
        """Return the body of a response; of CSV, only the heading and the first rows.

        Raises:
            RuntimeError: the status is not 200.
        """
        headers = {"HX-Request": "true"} if fragment else {}
        if address.startswith("/v1/"):
            headers = {"X-API-Key": self._key}
        response = self._client.get(address, headers=headers)
        try:
            if response.status_code != 200:
                raise RuntimeError(f"{address} returned {response.status}")
            if response.mimetype == "text/csv":
                chunks = response.iter_encoded()
                return (next(chunks) + next(chunks)).decode()
            return response.text
        finally:
            response.close()

    def later_page(self, address: str, pages: int) -> str:
        """Return the address of a list, a number of pages further on.

        Raises:
            RuntimeError: the list has fewer pages.
        """
        for _ in range(pages):
            match = _NEXT.search(self.get(address))
            if match is None:
                raise RuntimeError(f"{address} is the last page")
            address = match.group(1).replace("&amp;", "&")
        return address

    def _sign_in(self, password: str) -> None:
        token = _TOKEN.search(self.get("/sign-in"))
        form = {"email": EMAIL, "password": password, "csrf_token": token and token.group(1)}
        if self._client.post("/sign-in", data=form).status_code != 303:
            raise RuntimeError("signing in failed")


def _application(settings: Settings, now: datetime) -> Flask:
    """Build the application like `dashboard/rsgi.py`, with a clock that is stopped at `now`."""
    app = create_app(
        AppContext(
            settings=settings,
            clock=lambda: now,
            sign_in_attempts=SignInAttempts(settings.rate_limit_redis_url),
            passwords=Passwords(),
            broker=build_broker(settings.redis_url, timeout=CLIENT_TIMEOUT),
        )
    )
    collect_garbage_rarely(ALLOCATIONS_OF_PAGES)
    return app


def _backend() -> int:
    """Return the id of our PostgreSQL process; the pool uses the same connection each time."""
    with transaction():
        return int(query("select pg_backend_pid() as pid")[0]["pid"])


def _cpu_s(backend: int) -> float:
    """Return the CPU seconds of a backend and its parallel workers; 0 if they are unknown."""
    try:
        own = Path(f"/proc/{backend}/schedstat").read_text().split()[0]
        parent = _stat(backend)[1]
        ended = sum(int(ticks) for ticks in _stat(int(parent))[13:15])
    except FileNotFoundError:
        return 0.0
    return int(own) / 1e9 + ended / os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[str]:
    """Return the fields of `proc_pid_stat(5)`, from the state on."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
