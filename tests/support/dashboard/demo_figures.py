"""The demo data behind the dashboard, as of a fixed instant, and plain SQL over its rows."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest import mock
from xml.etree.ElementTree import Element

import orjson
import psycopg2
from click.testing import CliRunner

from cli.commands import demo_data
from config.settings import Settings
from models.across_organizations import list_with_stale_portfolio
from models.database import transaction
from models.health import forecasts
from queues import messages
from queues.broker import QueueBroker
from services import totals
from services.forecasts.refreshing import refresh
from services.insights import answers
from services.rules.rule_books import RuleBooks
from tests.support.dashboard.application import Browser, Dashboard
from tests.support.dashboard.elements import number, only, parse, select, text

AT = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
"""The present of the demo."""

COMPANIES = 110
"""More than a page of each list, and of most filters."""

READER = "ann@acme.example"
ZONE = "Asia/Kolkata"
"""The time zone of the reader, whose days begin within the hours of UTC."""

CUSTOMERS = """
create temporary view customers as
select c.organization_id, c.id, c.external_id, c.name, s.status, s.since, l.day as left_on,
    c.traits, c.traits ->> 'csm' as owner, (c.traits ->> 'arr')::numeric as value,
    (c.traits ->> 'renewal_date')::date as renews_on
from companies c
cross join lateral (
    select coalesce((array_agg(to_status order by sequence desc))[1], 'Healthy') as status,
        coalesce(max(at) filter (where from_status <> to_status), (
            select min(occurred_at) from events e
            where e.organization_id = c.organization_id and e.company_id = c.id
        )) as since
    from transitions t where t.organization_id = c.organization_id and t.company_id = c.id
) s left join lateral (
    select kind, day from outcomes o
    where o.organization_id = c.organization_id and o.company_id = c.id
    order by day desc, kind = 'left' desc limit 1
) l on l.kind = 'left'
"""
"""Companies by what their transitions, fields and outcomes say, instead of what was derived."""

RAISED = """
create temporary view raised as
select * from (
    select distinct on (t.organization_id, t.company_id, change ->> 'flag')
        t.organization_id, t.company_id, change ->> 'flag' as flag, change ->> 'to' as status
    from transitions t cross join lateral jsonb_array_elements(t.changes) change
    order by t.organization_id, t.company_id, change ->> 'flag', t.sequence desc
) last where status not in ('Healthy', 'N/A')
"""
"""The raised flags of companies, by the last change of each flag."""

SCORES = """
create temporary view scores as
select organization_id, company_id, case worst when 0 then 100 else 50 * (2 - worst)
    + round(sum(weight * (worst - level)) * 49.0 / (sum(weight) * worst))::integer end as score
from (
    select *, max(level) over (partition by organization_id, company_id) as worst from (
        select organization_id, company_id,
            case flag when 'Creates reports' then 3 when 'Gone quiet' then 2 else 1 end as weight,
            case status when 'Healthy' then 0 when 'At Risk' then 1 else 2 end as level
        from flag_states where status is not null
    ) applying
) levels group by organization_id, company_id, worst
"""
"""The scores of companies by their flags, with the weights of the rules of the demo."""


@dataclass
class Demo:
    """The pages of the demo organization, as an administrator sees them, and its rows."""

    dashboard: Dashboard
    browser: Browser
    broker: QueueBroker
    id: int
    connection: Any

    def page(self, path: str) -> Element:
        """Return a page, or a part of one, below `/o/demo`."""
        return parse(self.text(path))

    def text(self, path: str) -> str:
        """Return what an address answers; one that is not below `/o/demo` is added to it."""
        address = path if path.startswith("/o/demo") else f"/o/demo{path}"
        response = self.browser.get(address)
        assert response.status_code == 200, f"{path}: {response.status_code} {response.location}"
        return response.text

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a statement, in which `%(id)s`, `%(now)s` and `%(reader)s` are set."""
        names, tuples = self._execute(sql, parameters)
        assert len({*names}) == len(names), f"two columns have one name: {names}"
        return [dict(zip(names, row, strict=True)) for row in tuples]

    def tuples(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement as tuples."""
        return self._execute(sql, parameters)[1]

    def pairs(self, sql: str, **parameters: Any) -> dict[Any, Any]:
        """Return the rows of a statement by their first column: the second one, or the others."""
        return {
            key: values[0] if len(values) == 1 else tuple(values)
            for key, *values in self.tuples(sql, **parameters)
        }

    def _execute(
        self, sql: str, parameters: dict[str, Any]
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, {"id": self.id, "now": AT, "reader": READER, **parameters})
            return [column.name for column in cursor.description], cursor.fetchall()

    def value(self, sql: str, **parameters: Any) -> Any:
        """Return the one value of a statement."""
        [[value]] = self.tuples(sql, **parameters)
        return value

    def companies(self, path: str) -> int:
        """Return how many companies the list at an address has."""
        below = select(self.page(path), "div", "below")
        return int(number(text(only(below[0], "p", role="status")).split()[0])) if below else 0

    def compute_answers(self, *paths: str) -> None:
        """Open pages, and compute the answers that they ask the workers for."""
        for path in paths:
            self.text(path)
        client = self.broker.client
        waiting = client.hgetall(f"dramatiq:{messages.TOTALS}.msgs")
        client.delete(f"dramatiq:{messages.TOTALS}", f"dramatiq:{messages.TOTALS}.msgs")
        for message in map(orjson.loads, waiting.values()):
            if message["actor_name"] == messages.COMPUTE_ANSWER:
                with transaction():
                    answers.compute_answer(*message["args"], AT)


@contextmanager
def generate_demo(settings: Settings, dashboard: Dashboard, broker: QueueBroker) -> Iterator[Demo]:
    """Generate the demo data with the command, and have the services of the workers count them.

    The reader administers another organization too, as the command expects.
    """
    dashboard.clock.at = AT
    browser = dashboard.signed_in(READER, (dashboard.organization("first"), "administrator"))
    environment = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "BRAZEBEE_SECRET_KEY": settings.secret_keys[0],
    }
    with mock.patch.object(demo_data, "utc_now", return_value=AT):
        arguments = ["--companies", str(COMPANIES), "--json"]
        made = CliRunner().invoke(demo_data.demo_data, arguments, env=environment)
    assert made.exit_code == 0, made.output
    organization = dashboard.find_organization("demo")
    _count(organization.id)
    browser.post("/account/time-zone", time_zone=ZONE)
    with closing(psycopg2.connect(settings.database_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for view in (CUSTOMERS, RAISED, SCORES):
                cursor.execute(view)
        yield Demo(dashboard, browser, broker, organization.id, connection)


def _count(organization_id: int) -> None:
    """Have everything counted and forecast that the workers do."""
    rulebooks = RuleBooks()
    counting = True
    while counting:
        totals.refresh(AT, rulebooks)
        with transaction():
            counting = organization_id in list_with_stale_portfolio()
    with transaction():
        forecasts.ask(organization_id, AT)
    refresh(organization_id, rulebooks, lambda: AT)
