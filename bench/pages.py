"""The cost of each page of the dashboard and of its reads, with many companies and events."""

import random
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles

from bench.dashboard import past_year
from bench.dashboard.page_reads import Work, every_read
from bench.dashboard.page_requests import every_page
from bench.dashboard.visitor import Cost, Visitor
from bench.figures import Figure
from bench.load.traffic import EVENT_KEYS
from bench.product.servers import embedded_servers
from bench.progress import Progress
from models.database import query, transaction
from models.events import hourly_counts
from models.organizations import organizations, rule_versions
from models.organizations.organizations import Organization
from services.events.intake import store
from services.events.tracked_event import TrackedEvent
from services.insights.answers import compute_answer
from services.insights.questions import Adoption, Cohorts, Question, Uptake, write_question
from services.insights.thresholds import distributions
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from services.totals import WEEKS_AT_ONCE, refresh

TARGET_MS = 200.0
"""The limit for each page, at the 95th percentile."""

ORGANIZATION = "pages"

UNREACHED_LIMIT = "1000000/hour"
"""A rate limit that no measurement reaches."""

BUNDLES = 30
EVENTS_IN_A_BUNDLE = 200

FILLED_PER_SECOND = 25_000


def measure_pages(
    *, companies: int, events: int, repeats: int, now: datetime, keep: Path | None = None
) -> tuple[list[Cost], list[Figure]]:
    """Return the cost of each page, and figures of each read and of the background work.

    The folder `keep` keeps the database. If it contains one already, that one is measured, with its
    own numbers and as of the time when it was filled.
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
            visitor = Visitor(replace(settings, rate_limit=UNREACHED_LIMIT), organization, now)
            costs = [
                visitor.cost_of(request, repeats) for request in every_page(visitor, organization)
            ]
        slowest = max(costs, key=lambda cost: cost.p95)
        worst = Figure(
            f"The slowest page, {slowest.page}, p95", slowest.p95, "ms", target=TARGET_MS,
            at_most=True,
        )  # fmt: skip
        with progress.step("Reading", 30):
            return costs, [worst, *_reading(organization.id, now, repeats), *background]


def _filled(now: datetime, *, companies: int, events: int) -> Organization:
    """Create an organization with a year of data, in one transaction."""
    with transaction():
        organization_id = organizations.create(ORGANIZATION).id
        apply_rules(organization_id, past_year.RULES, file="bench", applied_by="bench", now=now)
        past_year.fill(organization_id, now, companies=companies, events=events)
    past_year.vacuum()
    with transaction():
        organization = organizations.find_by_id(organization_id)
    if organization is None:
        raise RuntimeError("the filled organization is gone")
    return organization


def _reading(organization_id: int, now: datetime, repeats: int) -> list[Figure]:
    figures: list[Figure] = []
    for read in every_read(organization_id, now):
        p50, p95 = _percentiles_ms(read.work, repeats)
        figures.append(Figure(f"{read.page}: {read.name}, p50", p50, "ms"))
        figures.append(Figure(f"{read.page}: {read.name}, p95", p95, "ms"))
    return figures


def _background(organization_id: int, now: datetime) -> list[Figure]:
    """Measure the work in the background."""
    started = time.perf_counter()
    with transaction():
        [row] = query("select count(distinct week) as n from event_weeks")
    rulebooks = RuleBooks()
    for _ in range(row["n"] // WEEKS_AT_ONCE + 1):
        refresh(now, rulebooks)
    weeks_s = time.perf_counter() - started
    figures = [Figure("Background: all weeks of a year, once", weeks_s, "s")]
    figures.append(Figure("Background: the current week", weeks_s / row["n"] * 1000, "ms"))
    with transaction():
        book = rulebooks.book(organization_id, 1)
    questions: dict[str, Question] = {
        "adoption of the most frequent event": Adoption(EVENT_KEYS[0]),
        "how it spread": Uptake(EVENT_KEYS[0]),
        "cohorts": Cohorts("plan", EVENT_KEYS[0]),
        "a distribution of counts": distributions(book, "Value")[0][0],
        "a distribution of users": distributions(book, "Users")[0][0],
    }
    for name, question in questions.items():
        started = time.perf_counter()
        with transaction():
            compute_answer(organization_id, write_question(question), now)
        duration_ms = (time.perf_counter() - started) * 1000
        figures.append(Figure(f"Background: {name}", duration_ms, "ms"))
    return figures


def _counting(organization_id: int, now: datetime) -> Figure:
    """Measure what counting adds to storing: the time of `record_arrivals` within `store`."""
    chance = random.Random(5)  # noqa: S311 -- nothing secret
    storing = counting = 0.0
    books = RuleBooks()
    for number in range(BUNDLES):
        bundle = [
            TrackedEvent(
                organization_id=organization_id,
                key_id=None,
                event_id=f"{number}-{index}",
                event_key=chance.choice(EVENT_KEYS),
                company_id=f"company_{chance.randrange(1, 5_000)}",
                company={"name": "Acme", "plan": "team"},
                user_id=f"company_{index}-1",
                user={"email": "u@example.com"},
                data={"source": "web", "duration_ms": index},
                occurred_at=now - timedelta(seconds=chance.expovariate(1 / 30)),
                received_at=now,
            )
            for index in range(EVENTS_IN_A_BUNDLE)
        ]
        started = time.perf_counter()
        with transaction():
            store(bundle, books)
        storing += time.perf_counter() - started
        with transaction():
            started = time.perf_counter()
            hourly_counts.record_arrivals(bundle)
            counting += time.perf_counter() - started
    share = counting / storing
    ms = counting / BUNDLES * 1000
    return Figure("Counting a bundle of events", ms, "ms", "storing it", share, 0.03, at_most=True)


def _percentiles_ms(work: Work, repeats: int) -> tuple[float, float]:
    """Return the 50th and 95th percentile of a call in a transaction, after three uncounted."""
    times = []
    for number in range(repeats + 3):
        started = time.perf_counter()
        with transaction():
            work()
        if number >= 3:
            times.append((time.perf_counter() - started) * 1000)
    parts = quantiles(times, n=20, method="inclusive")
    return parts[9], parts[18]
