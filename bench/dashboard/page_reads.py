"""The reads of the dashboard's pages, each measured separately."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle

from bench.load.traffic import EVENT_KEYS
from models.companies import companies, company_list, timeline, users
from models.companies.company_filter import ALL_COMPANIES, CompanyFilter
from models.companies.company_list import Order, Sorting
from models.companies.fields import field_history, field_names
from models.companies.filters.conditions import Condition, Operand, Operator
from models.database import query, transaction
from models.events import event_volumes, quiet_keys, weekly_reach
from models.health import flag_states, transitions, upcoming_changes
from models.health.upcoming_changes import UpcomingFilter
from models.portfolio import present_figures
from models.webhooks import delivery_log
from services.insights.answers import cached_answer, cached_answers
from services.insights.questions import Adoption, Cohorts

STATUSES = ("Healthy", "At Risk", "Critical")

Work = Callable[[], object]


@dataclass(frozen=True)
class Read:
    """A query, or several, for a page."""

    page: str
    name: str
    work: Work


def every_read(organization_id: int, now: datetime) -> list[Read]:
    """Return the reads of the pages; `or` marks an alternative to the read before."""
    return [
        *_today(organization_id, now),
        *_companies(organization_id),
        *_company(organization_id),
        *_insights(organization_id, now),
    ]


def _today(organization_id: int, now: datetime) -> list[Read]:
    day, ahead = now - timedelta(days=1), UpcomingFilter(now + timedelta(days=7))
    return [
        Read(
            "Today",
            "figures of now",
            lambda: present_figures.read(
                organization_id,
                STATUSES[1:],
                mine=(),
                renewal=(now.date(), timedelta(days=60)),
                most_owners=10,
            ),
        ),
        Read(
            "Today", "changes of a day", lambda: transitions.list_recent(organization_id, since=day)
        ),
        Read("Today", "their number", lambda: transitions.count_recent(organization_id, since=day)),
        Read(
            "Today",
            "5 upcoming changes",
            lambda: upcoming_changes.read_page(organization_id, ahead, after=None, limit=5),
        ),
        Read(
            "Today",
            "quiet keys",
            lambda: quiet_keys.find_quiet_keys(organization_id, EVENT_KEYS, now),
        ),
    ]


def _companies(organization_id: int) -> list[Read]:
    worst = Sorting(Order.STATUS, descending=True, statuses=STATUSES)
    plan = CompanyFilter(conditions=(Condition("field.plan", Operator.IS, (Operand("team"),)),))

    def page(company_filter: CompanyFilter = ALL_COMPANIES, sorting: Sorting = worst) -> Work:
        return lambda: company_list.read_page(organization_id, company_filter, sorting)

    cursor: str | None = None
    with transaction():
        for _ in range(20):
            cursor = company_list.read_page(organization_id, sorting=worst, after=cursor).next
    return [
        Read("Companies", "worst first", page()),
        Read("Companies", "custom fields", lambda: field_names.list_names(organization_id)),
        Read(
            "Companies",
            "or page 21",
            lambda: company_list.read_page(organization_id, sorting=worst, after=cursor),
        ),
        *(
            Read("Companies", f"or by {order}", page(sorting=Sorting(order, True, STATUSES)))
            for order in (Order.NAME, Order.SCORE, Order.SINCE, Order.LAST_EVENT)
        ),
        Read("Companies", "or search, many", page(CompanyFilter(text="acme"))),
        Read("Companies", "or search, one", page(CompanyFilter(text="any_4711"))),
        Read("Companies", "or a status", page(CompanyFilter(status="Critical"))),
        Read("Companies", "or a status by name", page(CompanyFilter(status="Healthy"), Sorting())),
        Read(
            "Companies", "or a flag", page(CompanyFilter(flags=("Value",), flag_status="At Risk"))
        ),
        Read("Companies", "or a field", page(plan)),
        Read(
            "Companies",
            "or a field and a search",
            page(CompanyFilter(text="hooli", conditions=plan.conditions)),
        ),
    ]


def _company(organization_id: int) -> list[Read]:
    with transaction():
        rows = query(
            "select id from companies where organization_id = %(organization_id)s"
            " order by id limit 500",
            {"organization_id": organization_id},
        )
    company_ids = cycle([row["id"] for row in rows])
    return [
        Read("Company", name, lambda read=read: read(organization_id, next(company_ids)))  # type: ignore[misc]
        for name, read in {
            "the company": lambda org, id_: companies.find_by_ids(org, [id_]),
            "timeline": timeline.read_page,
            "health history": transitions.list_for_company,
            "users": users.read_page,
            "fields": field_history.read_page,
            "deliveries": delivery_log.read_page_for_company,
            "flag states": flag_states.list_for_company,
        }.items()
    ]


def _insights(organization_id: int, now: datetime) -> list[Read]:
    year, three_weeks = (now - timedelta(days=364)).date(), now.date() - timedelta(days=14)
    keys = cycle(EVENT_KEYS)
    return [
        Read("Events", "volumes", lambda: event_volumes.read_volumes(organization_id, now)),
        Read(
            "Insights",
            "year",
            lambda: weekly_reach.read_company_counts(organization_id, since=year),
        ),
        Read(
            "Insights",
            "three weeks",
            lambda: weekly_reach.read_weeks_by_key(organization_id, None, since=three_weeks),
        ),
        Read(
            "Insights",
            "adoption",
            lambda: cached_answers(organization_id, [Adoption(key) for key in EVENT_KEYS], now),
        ),
        Read(
            "Insight",
            "weeks",
            lambda: weekly_reach.read_weeks(organization_id, next(keys), since=year),
        ),
        Read(
            "Insight", "last event", lambda: event_volumes.find_last_at(organization_id, next(keys))
        ),
        Read("Insight", "fields", lambda: field_names.list_names(organization_id)),
        Read(
            "Insight",
            "their values",
            lambda: field_names.count_values(
                organization_id, field_names.list_names(organization_id)
            ),
        ),
        Read("Insight", "adoption", lambda: cached_answer(organization_id, Adoption("login"), now)),
        Read(
            "Insight",
            "cohorts",
            lambda: cached_answer(organization_id, Cohorts("plan", "login"), now),
        ),
    ]
