"""The frame of all pages about one company: their URLs, header, and tabs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from flask import Blueprint, abort, g, render_template, request, url_for

from dashboard.access import Member
from dashboard.pages.causes import describe_cause
from dashboard.presentation.external_links import ExternalLink, build_external_link
from dashboard.web.context import rules_in_force
from dashboard.web.request_values import page_cursor
from models.companies import companies
from models.companies.companies import Company
from rules.book import RuleBook

blueprint = Blueprint(
    "company", __name__, url_prefix="/o/<name:organization>/companies/<name:company_id>"
)

TABS = (
    ("Health", "company.page"),
    ("Timeline", "company.timeline"),
    ("Users", "company.users"),
    ("Fields", "company.fields"),
    ("Deliveries", "company.deliveries"),
    ("Notes", "company.notes"),
    ("Outcomes", "company.outcomes"),
)


_TAB_OF = {"company.flag": "company.page", "company.note": "company.notes"}
"""The tab that is current on a page without one of its own."""


@dataclass(frozen=True)
class CurrentHealth:
    """The health in a page's header; `since` is when the status last changed."""

    status: str
    score: int | None
    since: datetime

    @classmethod
    def recorded(cls, company: Company) -> "CurrentHealth":
        """Return the recorded health of a company."""
        return cls(
            company.health_status, company.score, company.changed_at or company.first_seen_at
        )


def find_company(member: Member, external_id: str) -> Company:
    """Find the company with a client's id in the current transaction; 404 if there is none."""
    # PostgreSQL cannot store a NUL in a text, so no company has one in its id.
    company = None
    if "\0" not in external_id:
        company = companies.find(member.organization.id, external_id)
    if company is None:
        abort(404)
    g.company = company
    g.book = rules_in_force(member.organization)
    return company


@blueprint.url_defaults
def add_company_id(endpoint: str, values: dict[str, Any]) -> None:
    """Let links between the pages of a company omit its id."""
    company: Company | None = g.get("company")
    if company is not None and endpoint.startswith("company."):
        values.setdefault("company_id", company.external_id)


def book_in_force() -> RuleBook | None:
    """Return the current rules, read together with the company; None if they are unreadable."""
    book: RuleBook | None = g.book
    return book


def is_fragment() -> bool:
    """Whether htmx requests further rows for a page that already has the first ones."""
    return "HX-Request" in request.headers and page_cursor() is not None


def describe_score(health: CurrentHealth, book: RuleBook) -> str:
    """Describe in one sentence how a score and its status belong together."""
    scores = book.score_range(health.status)
    if health.score is None:
        return "There is no score, because no flag with a weight applies."
    if len(scores) == 1:
        return f"{health.status} always scores {scores[0]}, because no flag is raised."
    return (
        f"{health.status} scores {scores[0]} to {scores[-1]}: the fewer of its flags are raised,"
        " by weight, the higher."
    )


def show(
    template: str,
    company: Company,
    *,
    rows: str | None = None,
    health: CurrentHealth | None = None,
    **values: Any,
) -> str:
    """Render a page below the company's header, or the template `rows` alone for a fragment."""
    book = book_in_force()
    values["statuses"] = book.statuses if book else ()
    values["describe_cause"] = describe_cause
    if rows is not None and is_fragment():
        return render_template(rows, company=company, **values)
    core = company.traits.core
    current = _TAB_OF.get(str(request.endpoint), request.endpoint)
    links = (("CRM", _external_link(core, "crm")), ("Payments", _external_link(core, "payment")))
    return render_template(
        template,
        company=company,
        health=health or CurrentHealth.recorded(company),
        tabs=[(title, url_for(endpoint), endpoint == current) for title, endpoint in TABS],
        links=[(title, link) for title, link in links if link],
        **values,
    )


def _external_link(core: dict[str, Any], kind: str) -> ExternalLink | None:
    return build_external_link(core[f"{kind}_provider"], core[f"{kind}_provider_id"])


@blueprint.app_template_filter("as_text")
def as_text(value: Any) -> str:
    """Format a value that a client sent: a string unchanged, anything else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


@blueprint.app_template_filter("as_indented_json")
def as_indented_json(value: Any) -> str:
    """Format a value as JSON with each entry of an object on a line of its own."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
