"""Asks every page of the dashboard and the read API as people and programs do, and tells the costs.

The application answers within this process: a figure is of its own work and of PostgreSQL's.
"""

import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlencode

from flask import Flask

from bench.load.traffic import EVENT_KEYS
from config.settings import Settings
from dashboard.access.sign_in_attempts import SignInAttempts
from dashboard.app import create_app
from dashboard.web.context import AppContext
from models.database import query, transaction
from models.keys import api_keys
from models.organizations.organizations import Organization
from models.people import memberships, people
from queues.broker import CLIENT_TIMEOUT, build_broker
from services.accounts.passwords import Passwords

UNCOUNTED = 3
EMAIL = "ann@example.com"

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_NEXT = re.compile(r'hx-get="([^"]*after=[^"]*)"')


@dataclass(frozen=True)
class Request:
    """A page, or a `fragment` of one, and its addresses, which are asked for in turn."""

    page: str
    addresses: Iterator[str]
    fragment: bool = False


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one request, and of CPU that it took on average in both processes."""

    page: str
    p50: float
    p95: float
    python: float
    postgres: float


class Visitor:
    """An administrator of an organization, who also has a key for its read API."""

    def __init__(self, settings: Settings, organization: Organization, now: datetime) -> None:
        self._client = _application(settings, now).test_client()
        password = secrets.token_hex()
        password_hash = Passwords().hash(password)
        with transaction():
            person = people.find(EMAIL) or people.create(EMAIL, "Ann", None)
            people.set_password_hash(person.id, password_hash)
            memberships.add(organization.id, person.id, "administrator")
            self._key = api_keys.create(organization.id, "pages")
        self._sign_in(password)

    def cost_of(self, request: Request, repeats: int) -> Cost:
        """Ask for a page so many times, after a few that are not counted.

        Raises:
            RuntimeError: it is not there.
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
        """The body of an answer, but of CSV only the heading and the first rows.

        Raises:
            RuntimeError: it is not there.
        """
        headers = {"HX-Request": "true"} if fragment else {}
        if address.startswith("/v1/"):
            headers = {"X-API-Key": self._key}
        response = self._client.get(address, headers=headers)
        try:
            if response.status_code != 200:
                raise RuntimeError(f"{address} is answered with {response.status}")
            if response.mimetype == "text/csv":
                chunks = response.iter_encoded()
                return (next(chunks) + next(chunks)).decode()
            return response.text
        finally:
            response.close()

    def following(self, address: str, pages: int) -> str:
        """The address of a later page of a list, so many pages on.

        Raises:
            RuntimeError: there are not so many.
        """
        for _ in range(pages):
            found = _NEXT.search(self.get(address))
            if found is None:
                raise RuntimeError(f"{address} is the last page")
            address = found.group(1).replace("&amp;", "&")
        return address

    def _sign_in(self, password: str) -> None:
        found = _TOKEN.search(self.get("/sign-in"))
        form = {"email": EMAIL, "password": password, "csrf_token": found and found.group(1)}
        if self._client.post("/sign-in", data=form).status_code != 303:
            raise RuntimeError("nobody was let in")


def every_page(visitor: Visitor, organization: Organization) -> list[Request]:
    """All pages, fragments and answers whose cost could grow with what is stored."""
    o, base = organization.id, f"/o/{organization.name}"
    with transaction():
        companies = _some("select external_id as it from companies", o)
        deliveries = _some("select id as it from deliveries", o)
        endpoints = _some("select id as it from webhook_endpoints", o)
    a_company, a_delivery, an_endpoint = cycle(companies), cycle(deliveries), cycle(endpoints)
    a_key = cycle(EVENT_KEYS)
    settings = f"{base}/settings"
    later = visitor.following(f"{base}/companies", 20)

    def page(name: str, address: str, **asked: str) -> Request:
        return Request(name, cycle([f"{address}?{urlencode(asked)}" if asked else address]))

    def each(name: str, address: Callable[[], str]) -> Request:
        return Request(name, iter(address, ""))

    def part(one: Request) -> Request:
        return Request(one.page, one.addresses, fragment=True)

    def listed(name: str, **asked: str) -> Request:
        return page(f"Companies: {name}", f"{base}/companies", **asked)

    def of_company(name: str, below: str = "") -> Request:
        return each(f"Company: {name}", lambda: f"{base}/companies/{next(a_company)}{below}")

    sorts = ("name", "-name", "score", "-score", "since", "-since", "last-event", "-last-event")
    return [
        page("Today", f"{base}/"),
        *(part(page(f"Today: {name}", f"{base}/{name}")) for name in ("changes", "coming")),
        part(page("Today: coming, page 3", visitor.following(f"{base}/coming", 2))),
        listed("worst first"),
        part(page("Companies: page 21", later)),
        *(listed(f"sort {sort}", sort=sort) for sort in sorts),
        part(listed("search, many", q="acme")),
        part(listed("search, one", q="any_4711")),
        part(listed("search, none", q="nobody at all")),
        part(listed("search, a letter", q="e")),
        listed("a status", status="Critical"),
        listed("a status by name", status="Healthy", sort="name"),
        listed("a status by last event", status="Healthy", sort="-last-event"),
        listed("a flag", flag="Value", flag_status="At Risk"),
        listed("a flag, raised", flag="Value"),
        listed("a flag that all have", flag="Gone quiet", flag_status="Healthy"),
        listed("a field", **{"field.plan": "team"}),
        listed("a field and a search", q="hooli", **{"field.plan": "team"}),
        page("Companies: CSV, its beginning", f"{base}/companies.csv"),
        page("Companies: CSV of a search", f"{base}/companies.csv", q="acme"),
        of_company("overview"),
        *(of_company(name, f"/{name}") for name in (
            "timeline", "users", "fields", "deliveries", "notes", "flags/Value")),
        page("Insights", f"{base}/insights"),
        each("Insights: an event", lambda: f"{base}/insights/{next(a_key)}"),
        page("Events", f"{base}/events"),
        page("Rules", f"{base}/rules"),
        page("Rules: completions", f"{base}/rules/completions"),
        page("Rules: versions", f"{base}/rules/versions"),
        page("Rules: a version", f"{base}/rules/versions/1"),
        page("Developers: keys", f"{settings}/developers"),
        page("Developers: webhooks", f"{settings}/developers/webhooks"),
        each("Developers: a webhook",
             lambda: f"{settings}/developers/webhooks/{next(an_endpoint)}"),
        page("Developers: deliveries", f"{settings}/developers/deliveries"),
        page("Developers: failed deliveries", f"{settings}/developers/deliveries", state="failed"),
        page("Developers: waiting deliveries", f"{settings}/developers/deliveries",
             state="waiting"),
        each("Developers: a company's deliveries",
             lambda: f"{settings}/developers/deliveries?company={next(a_company)}"),
        each("Developers: a delivery",
             lambda: f"{settings}/developers/deliveries/{next(a_delivery)}"),
        page("People", f"{settings}/people"),
        page("Audit log", f"{settings}/audit"),
        page("Account", "/account"),
        page("API: companies", "/v1/companies", limit="500"),
        page("API: companies, a search", "/v1/companies", search="acme"),
        each("API: health of one", lambda: f"/v1/companies/{next(a_company)}/health"),
        page("API: transitions", "/v1/transitions", limit="500"),
    ]  # fmt: skip


def _application(settings: Settings, now: datetime) -> Flask:
    """As `dashboard/wsgi.py` builds it, at an instant that stands still."""
    return create_app(
        AppContext(
            settings=settings,
            clock=lambda: now,
            sign_in_attempts=SignInAttempts(settings.rate_limit_redis_url),
            passwords=Passwords(),
            broker=build_broker(settings.redis_url, timeout=CLIENT_TIMEOUT),
        )
    )


def _some(sql: str, organization_id: int) -> list[str]:
    """The first 500 of something that an organization has."""
    rows = query(
        f"{sql} where organization_id = %(organization_id)s order by id limit 500",
        {"organization_id": organization_id},
    )
    return [str(row["it"]) for row in rows]


def _backend() -> int:
    """The process that answers this one in PostgreSQL; the pool gives the same each time."""
    with transaction():
        return int(query("select pg_backend_pid() as pid")[0]["pid"])


def _cpu_s(backend: int) -> float:
    """What a backend and parallel workers have taken until now; 0 where nobody can tell."""
    try:
        own = Path(f"/proc/{backend}/schedstat").read_text().split()[0]
        parent = _stat(backend)[1]
        ended = sum(int(ticks) for ticks in _stat(int(parent))[13:15])
    except FileNotFoundError:
        return 0.0
    return int(own) / 1e9 + ended / os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[str]:
    """What `proc_pid_stat(5)` tells of a process, from its state on."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
