"""What each page of the dashboard takes, with many companies and events, and what it reads."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from statistics import quantiles

from bench.dashboard import past_year
from bench.dashboard.page_requests import Cost, Visitor, every_page
from bench.figures import Figure
from bench.load.traffic import EVENT_KEYS
from bench.product.servers import embedded_servers
from bench.progress import Progress
from models.companies import (
    companies,
    company_counts,
    company_list,
    field_history,
    field_names,
    timeline,
    users,
)
from models.companies.company_filter import ALL_COMPANIES, CompanyFilter
from models.companies.company_list import Order, Sorting
from models.database import query, transaction
from models.events import hourly_counts, weekly_reach
from models.health import flag_states, transitions
from models.organizations import organizations, rule_versions
from models.organizations.organizations import Organization
from models.webhooks import delivery_log
from services.events.intake import store
from services.events.tracked_event import TrackedEvent
from services.health.upcoming import Span, upcoming_changes
from services.insights.answers import cached_answer, cached_answers, compute_answer
from services.insights.questions import Adoption, Cohorts, Question, Uptake, write_question
from services.insights.thresholds import distributions
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from services.totals import WEEKS_AT_ONCE, refresh

TARGET_MS = 200.0
"""Of each page, at the 95th percentile."""

ORGANIZATION = "pages"

OFTEN = "1000000/hour"
"""A rate limit that no measurement reaches."""

BUNDLES = 30
EVENTS_IN_A_BUNDLE = 200

STATUSES = ("Healthy", "At Risk", "Critical")
FILLED_PER_SECOND = 25_000

Work = Callable[[], object]


@dataclass(frozen=True)
class Read:
    """Something that is read for a page."""

    page: str
    what: str
    work: Work


def measure_pages(
    *, companies: int, events: int, repeats: int, now: datetime, keep: Path | None = None
) -> tuple[list[Cost], list[Figure]]:
    """What each page costs; and of each read, p50 and p95, and the background work, milliseconds.

    The folder `keep` keeps the database; where it has one already, that is measured, whatever its
    numbers, as of when it was filled.
    """
    filling = (20 * companies + events) / FILLED_PER_SECOND
    progress = Progress(filling + 150)
    with progress.started(), embedded_servers(keep) as settings:
        background: list[Figure] = []
        with transaction():
            organization = organizations.find(ORGANIZATION)
        if organization is None:
            with progress.step(f"{companies:,} companies, {events:,} events", filling):
                organization = _filled(now, companies=companies, events=events)
            with progress.step("Background", 60):
                background = [*_background(organization.id, now), _counting(organization.id, now)]
        with transaction():
            [version] = rule_versions.list_after(organization.id, 0)
        now = version.applied_at
        with progress.step("Pages", 60):
            visitor = Visitor(replace(settings, rate_limit=OFTEN), organization, now)
            costs = [visitor.cost_of(one, repeats) for one in every_page(visitor, organization)]
        slowest = max(costs, key=lambda cost: cost.p95)
        worst = Figure(
            f"The slowest page, {slowest.page}, p95", slowest.p95, "ms", target=TARGET_MS,
            at_most=True,
        )  # fmt: skip
        with progress.step("Reading", 30):
            return costs, [worst, *_reading(organization.id, now, repeats), *background]


def _filled(now: datetime, *, companies: int, events: int) -> Organization:
    """A new organization with a year of life until now; there is none until all of it is there."""
    with transaction():
        organization_id = organizations.create(ORGANIZATION).id
        apply_rules(organization_id, past_year.RULES, file="bench", applied_by="bench", now=now)
        past_year.fill(organization_id, now, companies=companies, events=events)
    past_year.vacuum()
    with transaction():
        found = organizations.find_by_id(organization_id)
    if found is None:
        raise RuntimeError("what was filled is gone")
    return found


def _reading(organization_id: int, now: datetime, repeats: int) -> list[Figure]:
    figures: list[Figure] = []
    for read in _reads(organization_id, now):
        p50, p95 = _percentiles_ms(read.work, repeats)
        figures.append(Figure(f"{read.page}: {read.what}, p50", p50, "ms"))
        figures.append(Figure(f"{read.page}: {read.what}, p95", p95, "ms"))
    return figures


def _reads(organization_id: int, now: datetime) -> list[Read]:
    """What the pages read; what begins with `or` takes the place of another."""
    o, books = organization_id, RuleBooks()
    with transaction():
        rows = query(
            "select id from companies where organization_id = %(o)s order by id limit 500", {"o": o}
        )
    some = cycle([row["id"] for row in rows])
    keys = cycle(EVENT_KEYS)
    day, year = now - timedelta(days=1), (now - timedelta(days=364)).date()
    worst = Sorting(Order.STATUS, descending=True, statuses=STATUSES)
    span = Span(now, now + timedelta(days=7))
    plan = CompanyFilter(fields=(("plan", ("team",)),))

    def page(wanted: CompanyFilter = ALL_COMPANIES, sorting: Sorting = worst) -> Work:
        return lambda: company_list.read_page(o, wanted, sorting)

    deep: list[str | None] = [None]
    with transaction():
        for _ in range(20):
            deep[0] = company_list.read_page(o, sorting=worst, after=deep[0]).next
    return [
        Read("Today", "statuses", lambda: company_counts.count_recent_by_status(o, now)),
        Read("Today", "changes of a day", lambda: transitions.list_recent(o, since=day)),
        Read("Today", "their number", lambda: transitions.count_recent(o, since=day)),
        Read("Today", "20 coming changes", lambda: upcoming_changes(o, 1, span, books)),
        Read("Today", "quiet keys", lambda: hourly_counts.find_quiet_keys(o, EVENT_KEYS, now)),
        Read("Companies", "worst first", page()),
        Read("Companies", "custom fields", lambda: field_names.list_names(o)),
        Read("Companies", "or page 21", lambda: company_list.read_page(o, sorting=worst, after=deep[0])),
        *(
            Read("Companies", f"or by {order}", page(sorting=Sorting(order, True, STATUSES)))
            for order in (Order.NAME, Order.SCORE, Order.SINCE, Order.LAST_EVENT)
        ),
        Read("Companies", "or search, many", page(CompanyFilter(text="acme"))),
        Read("Companies", "or search, one", page(CompanyFilter(text="any_4711"))),
        Read("Companies", "or a status", page(CompanyFilter(status="Critical"))),
        Read("Companies", "or a status by name", page(CompanyFilter(status="Healthy"), Sorting())),
        Read("Companies", "or a flag", page(CompanyFilter(flag="Value", flag_status="At Risk"))),
        Read("Companies", "or a field", page(plan)),
        Read("Companies", "or a field and a search",
             page(CompanyFilter(text="hooli", fields=plan.fields))),
        Read("Company", "the company", lambda: companies.find_by_ids([next(some)])),
        Read("Company", "timeline", lambda: timeline.read_page(next(some))),
        Read("Company", "health history", lambda: transitions.list_for_company(next(some))),
        Read("Company", "users", lambda: users.read_page(next(some))),
        Read("Company", "fields", lambda: field_history.read_page(next(some))),
        Read("Company", "deliveries", lambda: delivery_log.read_page_for_company(next(some))),
        Read("Company", "flag states", lambda: flag_states.list_for_company(next(some))),
        Read("Events", "volumes", lambda: hourly_counts.read_volumes(o, now)),
        Read("Insights", "year", lambda: weekly_reach.read_company_counts(o, since=year)),
        Read("Insights", "three weeks",
             lambda: weekly_reach.read_weeks_by_key(o, None, since=now.date() - timedelta(days=14))),
        Read("Insights", "adoption",
             lambda: cached_answers(o, [Adoption(key) for key in EVENT_KEYS], now)),
        Read("Insight", "weeks", lambda: weekly_reach.read_weeks(o, next(keys), since=year)),
        Read("Insight", "last event", lambda: hourly_counts.find_last_at(o, next(keys))),
        Read("Insight", "fields", lambda: field_names.list_names(o)),
        Read("Insight", "their values", lambda: field_names.count_values(o)),
        Read("Insight", "adoption", lambda: cached_answer(o, Adoption("login"), now)),
        Read("Insight", "cohorts", lambda: cached_answer(o, Cohorts("plan", "login"), now)),
    ]  # fmt: skip


def _background(organization_id: int, now: datetime) -> list[Figure]:
    """What is worked out while nobody waits."""
    started = time.perf_counter()
    with transaction():
        [row] = query("select count(distinct week) as n from event_weeks")
    for _ in range(row["n"] // WEEKS_AT_ONCE + 1):
        refresh(now)
    weeks_s = time.perf_counter() - started
    figures = [Figure("Background: all weeks of a year, once", weeks_s, "s")]
    figures.append(Figure("Background: the week at hand", weeks_s / row["n"] * 1000, "ms"))
    with transaction():
        book = RuleBooks().book(organization_id, 1)
    questions: dict[str, Question] = {
        "adoption of the most frequent event": Adoption(EVENT_KEYS[0]),
        "how it spread": Uptake(EVENT_KEYS[0]),
        "cohorts": Cohorts("plan", EVENT_KEYS[0]),
        "a distribution of counts": distributions(book, "Value")[0][0],
        "a distribution of users": distributions(book, "Users")[0][0],
    }
    for what, question in questions.items():
        started = time.perf_counter()
        with transaction():
            compute_answer(organization_id, write_question(question), now)
        took = (time.perf_counter() - started) * 1000
        figures.append(Figure(f"Background: {what}", took, "ms"))
    return figures


def _counting(organization_id: int, now: datetime) -> Figure:
    """What counting adds to storing events: the time of `event_counts.note`, within `store`."""
    chance = random.Random(5)  # noqa: S311 -- nothing secret
    storing = counting = 0.0
    books = RuleBooks()
    for number in range(BUNDLES):
        sent = [
            TrackedEvent(
                organization_id=organization_id,
                key_id=None,
                event_id=f"{number}-{place}",
                event_key=chance.choice(EVENT_KEYS),
                company_id=f"company_{chance.randrange(1, 5_000)}",
                company={"name": "Acme", "plan": "team"},
                user_id=f"company_{place}-1",
                user={"email": "u@example.com"},
                data={"source": "web", "duration_ms": place},
                occurred_at=now - timedelta(seconds=chance.expovariate(1 / 30)),
                received_at=now,
            )
            for place in range(EVENTS_IN_A_BUNDLE)
        ]
        started = time.perf_counter()
        with transaction():
            store(sent, books)
        storing += time.perf_counter() - started
        with transaction():
            started = time.perf_counter()
            hourly_counts.record_arrivals(sent)
            counting += time.perf_counter() - started
    share = counting / storing
    ms = counting / BUNDLES * 1000
    return Figure("Counting a bundle of events", ms, "ms", "storing it", share, 0.03, at_most=True)


def _percentiles_ms(work: Work, repeats: int) -> tuple[float, float]:
    """The 50th and 95th percentile of one call with its transaction, after three uncounted."""
    times = []
    for number in range(repeats + 3):
        started = time.perf_counter()
        with transaction():
            work()
        if number >= 3:
            times.append((time.perf_counter() - started) * 1000)
    parts = quantiles(times, n=20, method="inclusive")
    return parts[9], parts[18]
