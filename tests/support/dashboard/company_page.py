"""A company with a history, for tests of the pages about one company."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from tests.support.dashboard.application import NOW
from tests.support.world import Time, World, days_ago

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: {name: Signed in}, report: {name: Report created}}
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 3 times in 7 days, Critical: less than 1 time in 7 days}
    note: Who renews signs in daily.
  - flag: Reports
    event: report
    when: {Critical: at least 3 times in 1 day}
"""


def ago(**offset: float) -> datetime:
    """Return the instant that is `timedelta(**offset)` before the present of the tests."""
    return NOW - timedelta(**offset)


def create_world(name: str = "acme", rules: str = RULES) -> World:
    """Create an organization whose rules have been in force longer than any test looks back."""
    return World.create(rules, name=name, start=NOW, rules_at=-timedelta(days=400))


def track(
    world: World, *times: Time, company: str = "c1", user: str | None = None, **event: Any
) -> None:
    """Store events of a company named Acme Corp, of a user with a name."""
    event.setdefault("name", "Acme Corp")
    user_fields = {"name": f"User {user}"} if user else {}
    world.track(company, *times, user=user, user_fields=user_fields, **event)


def add_history(world: World) -> None:
    """Add a company `c1` that signed in daily, went quiet, and signed in twice recently."""
    half_days = days_ago(*(day / 2 for day in range(80, 200)))
    track(world, *half_days, user="u1", plan="Pro", seats=5)
    world.judge("c1", ago(days=20))
    track(world, ago(days=2), ago(days=1), user="u2", plan="Enterprise")
    world.judge("c1")


def address_of(world: World, path: str = "", company: str = "c1") -> str:
    """Return the URL of a page about a company."""
    segment = quote(company.replace("%", "%25").replace("/", "%2F"), safe="")
    return f"/o/{world.name}/companies/{segment}{path}"
