"""`World`: an organization whose companies send events and are evaluated at chosen instants.

Tests of anything that reads what the workers have written start from a world instead of set-up
code of their own. A world calls the services that the workers call; only time is simulated.

    def test_a_flag_is_raised_when_its_window_has_passed(world: World) -> None:
        world.track("acme", 0, 3)  # two sign-ins, 0 and 3 seconds after the start
        world.judge("acme", 3)
        assert world.status("acme") == "Healthy"

        world.judge("acme", 10)  # the first sign-in leaves the window of 10 seconds
        assert world.status("acme") == "At Risk"
        assert world.flag("acme", "Logs in").changed_at == world.at(10)
        assert world.crossings("acme") == [
            (0, "At Risk", "event"), (3, "Healthy", "event"), (10, "At Risk", "time"),
        ]

The `world` fixture uses `RULES`. `World.create` makes worlds with other rules or without any, and
several next to each other:

    acme, other = World.create(MY_RULES), World.create(None)

A time is a number of seconds after the start of the world (negative: before it), a `timedelta`
after the start, or an instant. Tests that count days back from a fixed present start there:

    world = World.create(MY_RULES, start=NOW, rules_at=-timedelta(days=60))
    world.track("acme", *days_ago(9, 8, 1), key="report", user="ann", plan="Pro")
    world.judge()  # every company, at `world.now`

A time that is left out is `world.now`. It is the start until `world.advance(seconds=10)` moves it.
"""

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from config.settings import Settings
from models.companies import companies
from models.companies.companies import Company
from models.database import query, transaction
from models.health import flag_states, transitions
from models.health.flag_states import StoredFlagState
from models.health.transitions import StoredTransition
from models.organizations import organizations
from models.organizations.organizations import Organization
from models.webhooks import webhook_endpoints
from services.events.records import FieldUpdate, Record
from services.events.tracked_event import TrackedEvent
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from tests.support.events import tracked
from tests.support.in_transactions import evaluate, store

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
MICROSECOND = 0.000001

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: , report: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 2 times in 10 seconds}
  - flag: Reports
    event: report
    when: {Critical: at least 1 time in 5 seconds}
"""

Time = float | timedelta | datetime
"""Seconds or a duration after the start of a world, or an instant."""

_numbers = itertools.count(1)


def after(seconds: float) -> datetime:
    """Return the instant that is this many seconds after the start of a world."""
    return START + timedelta(microseconds=round(seconds * 1_000_000))


def days_ago(*days: float) -> list[timedelta]:
    """Return the times that are these numbers of days before the start of a world."""
    return [-timedelta(days=number) for number in days]


class World:
    """An organization with its rules, companies and events; the module has an example."""

    def __init__(self, organization: Organization, start: datetime = START) -> None:
        self.id = organization.id
        self.name = organization.name
        self.start = start
        self.now = start
        self.rulebooks = RuleBooks()

    @classmethod
    def create(
        cls,
        rules: str | None = RULES,
        *,
        name: str | None = None,
        start: datetime = START,
        rules_at: Time = -60,
    ) -> "World":
        """Create an organization with these rules in force from `rules_at` on, or without rules."""
        with transaction():
            organization = organizations.create(name or f"world-{next(_numbers)}")
        return cls.of(organization, rules, start=start, rules_at=rules_at)

    @classmethod
    def of(
        cls,
        organization: Organization,
        rules: str | None = RULES,
        *,
        start: datetime = START,
        rules_at: Time = -60,
    ) -> "World":
        """Return a world of an existing organization, to which these rules are applied."""
        world = cls(organization, start)
        if rules is not None:
            world.apply_rules(rules, rules_at)
        return world

    # Time

    def at(self, time: Time) -> datetime:
        """Return a time as an instant: `world.at(10)` is ten seconds after the start."""
        if isinstance(time, datetime):
            return time
        if isinstance(time, timedelta):
            return self.start + time
        return self.start + timedelta(microseconds=round(time * 1_000_000))

    def seconds(self, at: datetime) -> float:
        """Return the seconds from the start to an instant: the inverse of `at`."""
        return (at - self.start).total_seconds()

    def ago(self, **offset: float) -> datetime:
        """Return the instant that is `timedelta(**offset)` before now."""
        return self.now - timedelta(**offset)

    def advance(self, **offset: float) -> datetime:
        """Move the clock forward by `timedelta(**offset)` and return the new present."""
        self.now += timedelta(**offset)
        return self.now

    def _at_or_now(self, time: Time | None) -> datetime:
        return self.now if time is None else self.at(time)

    # Rules, events and evaluation

    def apply_rules(self, text: str, at: Time | None = None, *, applied_by: str = "test") -> int:
        """Put a rule file in force and return its version."""
        with transaction():
            return apply_rules(
                self.id, text, file="rules.yaml", applied_by=applied_by, now=self._at_or_now(at)
            ).version

    def event(
        self,
        company: str = "acme",
        at: Time | None = None,
        *,
        key: str = "login",
        user: str | None = None,
        data: dict[str, Any] | None = None,
        received: Time | None = None,
        event_id: str | None = None,
        user_fields: dict[str, Any] | None = None,
        **fields: Any,
    ) -> TrackedEvent:
        """Build an event for `store`, received when it occurs unless `received` is given.

        `fields` are company fields. The company's name defaults to its id in title case.
        """
        occurred_at = self._at_or_now(at)
        changed = {} if event_id is None else {"event_id": event_id}
        return tracked(
            self.id,
            company,
            occurred_at,
            key=key,
            company={"name": company.title(), **fields},
            user_id=user,
            user=user_fields or {},
            data=data,
            received_at=occurred_at if received is None else self.at(received),
            **changed,
        )

    def update(
        self,
        company: str | None = "acme",
        at: Time | None = None,
        *,
        user: str | None = None,
        user_fields: dict[str, Any] | None = None,
        received: Time | None = None,
        **fields: Any,
    ) -> FieldUpdate:
        """Build an update for `store`: fields of a company, of a user, or of both."""
        sent_at = self._at_or_now(at)
        received_at = sent_at if received is None else self.at(received)
        return FieldUpdate(
            self.id, None, company, fields, user, user_fields or {}, sent_at, received_at
        )

    def store(self, *records: Record) -> list[int]:
        """Store records in one transaction; return the ids of the companies to evaluate."""
        return store(records, self.rulebooks)

    def track(self, company: str = "acme", *times: Time, **event: Any) -> list[int]:
        """Store one event for each time, or one now; keywords and result as `event` and `store`."""
        return self.store(*(self.event(company, at, **event) for at in times or (self.now,)))

    def judge(
        self,
        company: str | None = None,
        at: Time | None = None,
        *,
        stored_until: Time | None = None,
    ) -> list[UUID]:
        """Evaluate one company, or all of them; return the ids of the deliveries to attempt now."""
        ids = self.company_ids() if company is None else [self.company_id(company)]
        until = None if stored_until is None else self.at(stored_until)
        written = evaluate(ids, self.rulebooks, self._at_or_now(at), stored_until=until).written
        return [request.delivery_id for request in written]

    # What is recorded

    @property
    def organization(self) -> Organization:
        with transaction():
            organization = organizations.find_by_id(self.id)
        assert organization is not None
        return organization

    @property
    def rules_version(self) -> int:
        return self.organization.rules_version

    def company(self, company: str = "acme") -> Company:
        with transaction():
            row = companies.find(self.id, company)
        assert row is not None, f"no event of {company!r} is stored"
        return row

    def company_id(self, company: str = "acme") -> int:
        """Return the id of a company's row."""
        return self.company(company).id

    def company_ids(self) -> list[int]:
        """Return the ids of all companies' rows, the oldest first."""
        with transaction():
            return companies.list_ids(self.id)

    def status(self, company: str = "acme") -> str:
        return self.company(company).health_status

    def flags(self, company: str = "acme") -> dict[str, StoredFlagState]:
        """Return the recorded states of a company's flags by name."""
        with transaction():
            states = flag_states.list_for_company(self.id, self.company_id(company))
        return {state.flag: state for state in states}

    def flag(self, company: str, flag: str) -> StoredFlagState:
        return self.flags(company)[flag]

    def transitions(self, company: str = "acme") -> list[StoredTransition]:
        """Return the recorded transitions of a company, the oldest first."""
        with transaction():
            return transitions.list_for_company(self.id, self.company_id(company))

    def crossings(self, company: str = "acme") -> list[tuple[float, str, str]]:
        """Return each transition of a company as (seconds after the start, status, cause)."""
        return [(self.seconds(t.at), t.to_status, t.cause) for t in self.transitions(company)]

    # Webhooks

    def subscribe(self, settings: Settings, url: str = "https://example.com/hook") -> UUID:
        """Add a webhook endpoint and return its id."""
        with transaction():
            endpoint_id, _secret = webhook_endpoints.add(
                self.id, url, secret_keys=settings.secret_keys
            )
        return endpoint_id

    def payloads(self) -> list[dict[str, Any]]:
        """Return the payloads of all deliveries, the oldest first."""
        return [
            json.loads(row["payload"])
            for row in self.rows(
                "select payload from deliveries where organization_id = %(id)s order by id"
            )
        ]

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a query, in which `%(id)s` is the id of the organization."""
        with transaction():
            return query(sql, {"id": self.id, **parameters})
