"""The cost of evaluating one company, by the number of events in its window."""

from datetime import datetime, timedelta
from typing import Any

from bench.timing import median_ms
from models.database import execute, query, transaction
from rules.book import RuleBook
from rules.file.rule_file import read_rules
from rules.flags import FlagMemory
from rules.phrases.condition import Level, Situation
from services.health.stored_facts import StoredFacts

USERS = 50
"""The same in every company, so that only the number of events differs."""

RULES = """
version: 1
events: {used: , never_used: }
flags:
  - flag: count, healthy
    event: used
    when: {At Risk: less than 5 times in 30 days}
  - flag: count, raised
    event: never_used
    when: {At Risk: less than 5 times in 30 days}
  - flag: no activity
    event: any
    when: {At Risk: no activity for 7 days}
  - flag: distinct users
    event: used
    when: {At Risk: fewer than 10 distinct users in 30 days}
  - flag: sum
    event: used
    when: {At Risk: sum of data.amount below 100 in 30 days}
  - flag: change
    event: used
    when: {At Risk: down 40% in 15 days}
  - flag: conventional, count(*)
    event: used
    when: {At Risk: less than 5 times in 30 days}
"""
CONVENTIONAL = "conventional, count(*)"


class _NoOtherFlags:
    def level(self, _flag: str, _at: datetime) -> Level:
        return None

    def next_change(self, _flag: str, _after: datetime) -> datetime | None:
        return None


def measure_judging(organization_id: int, sizes: list[int], now: datetime) -> list[dict[str, Any]]:
    """Return the milliseconds of one evaluation, by type of phrase and number of events."""
    book = read_rules(RULES)
    rows: list[dict[str, Any]] = []
    with transaction():
        companies = {size: _company(organization_id, size, now) for size in sizes}
    with transaction():
        execute("analyze events")
        for flag in book.flags:
            row: dict[str, Any] = {"judging": flag.name}
            for size, company_id in companies.items():
                company = organization_id, company_id
                row[f"{size:,}_events"] = _judge_ms(book, flag.name, company, now)
            first, last = (row[f"{size:,}_events"] for size in (sizes[0], sizes[-1]))
            rows.append(row | {"last_to_first": last / first})
    return rows


def _judge_ms(book: RuleBook, name: str, company: tuple[int, int], now: datetime) -> float:
    flag = book.flags_by_name[name]
    organization_id, company_id = company
    since = now - timedelta(days=30)

    def count_all() -> object:
        return query(
            "select count(*) from events where organization_id = %(organization_id)s"
            " and company_id = %(id)s and event_key = 'used'"
            " and occurred_at > %(since)s and occurred_at <= %(now)s",
            {"organization_id": organization_id, "id": company_id, "since": since, "now": now},
        )

    def judge() -> object:
        facts = StoredFacts(organization_id, company_id, "c", now - timedelta(days=90))
        return flag.evaluate(Situation(facts, flag.selector, now, _NoOtherFlags()), FlagMemory())

    return median_ms(count_all if name == CONVENTIONAL else judge, repeats=7)


def _company(organization_id: int, events: int, now: datetime) -> int:
    """Create a company with events by `USERS` users, evenly over the last 30 days."""
    rows = query(
        "insert into companies (organization_id, external_id, name, first_seen_at, health_status)"
        " values (%(org)s, %(name)s, %(name)s, %(now)s::timestamptz - interval '90 days',"
        " 'Healthy') returning id",
        {"org": organization_id, "name": f"with {events} events", "now": now},
    )
    company_id: int = rows[0]["id"]
    execute(
        "insert into events (organization_id, event_id, company_id, user_id, event_key,"
        " occurred_at, received_at, data) select %(org)s, %(id)s || '-' || n, %(id)s,"
        " n %% %(users)s, 'used', %(now)s::timestamptz - n * %(step)s, %(now)s,"
        " jsonb_build_object('amount', n %% 100) from generate_series(0, %(events)s - 1) n",
        {
            "org": organization_id,
            "id": company_id,
            "users": USERS,
            "events": events,
            "now": now,
            "step": timedelta(days=30) / events,
        },
    )
    return company_id
