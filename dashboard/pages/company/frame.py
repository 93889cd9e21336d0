"""What all pages of one company share: their addresses, its head, and their tabs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint, abort, g, render_template, request, url_for

from dashboard.access import Member
from dashboard.presentation.external_links import Elsewhere, elsewhere
from dashboard.web.context import rules_in_force
from dashboard.web.request_values import place
from models.companies import companies
from models.companies.companies import Company
from rules.book import RuleBook

blueprint = Blueprint(
    "company", __name__, url_prefix="/o/<name:organization>/companies/<name:company>"
)

TABS = (
    ("Health", "company.page"),
    ("Timeline", "company.timeline"),
    ("Users", "company.users"),
    ("Fields", "company.fields"),
    ("Deliveries", "company.deliveries"),
    ("Notes", "company.notes"),
)


@dataclass(frozen=True)
class Standing:
    """How a company stands: its status, its score, and since when its status holds."""

    status: str
    score: int | None
    since: datetime


def find_company(member: Member, external_id: str) -> Company:
    """The company that an address names, within the transaction at hand; 404 if there is none."""
    # PostgreSQL takes no NUL in a text, so no company has one in its id.
    found = None
    if "\0" not in external_id:
        found = companies.find(member.organization.id, external_id)
    if found is None:
        abort(404)
    g.company = found
    g.book = rules_in_force(member.organization)
    return found


@blueprint.url_defaults
def stay_at_company(endpoint: str, values: dict[str, Any]) -> None:
    """Let links between the pages of a company name it by themselves."""
    found: Company | None = g.get("company")
    if found is not None and endpoint.startswith("company."):
        values.setdefault("company", found.external_id)


def book_in_force() -> RuleBook | None:
    """The rules in force when the company was found; None where they cannot be read."""
    book: RuleBook | None = g.book
    return book


def is_fragment() -> bool:
    """Whether more rows are asked for by a page that has the first ones."""
    return "HX-Request" in request.headers and place() is not None


def show(
    template: str,
    company: Company,
    *,
    rows: str | None = None,
    standing: Standing | None = None,
    **its: Any,
) -> str:
    """A page of a company below its head; of its template `rows` alone where more are asked for."""
    book = book_in_force()
    its["statuses"] = book.statuses if book else ()
    if rows is not None and is_fragment():
        return render_template(rows, company=company, **its)
    core = company.traits.core
    return render_template(
        template,
        company=company,
        standing=standing
        or Standing(
            company.health_status, company.score, company.changed_at or company.first_seen_at
        ),
        tabs=[(title, url_for(endpoint), request.endpoint == endpoint) for title, endpoint in TABS],
        links=[
            (what, known)
            for what, known in (
                ("CRM", _known(core, "crm")),
                ("Payments", _known(core, "payment")),
            )
            if known
        ],
        **its,
    )


def _known(core: dict[str, Any], kind: str) -> Elsewhere | None:
    return elsewhere(core[f"{kind}_provider"], core[f"{kind}_provider_id"])


@blueprint.app_template_filter("said")
def said(value: Any) -> str:
    """What a client sent, as text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


@blueprint.app_template_filter("said_at_length")
def said_at_length(value: Any) -> str:
    """The same with each entry of an object on a line of its own."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


@blueprint.app_template_filter("short_time")
def short_time(at: datetime) -> str:
    """An instant to the minute, such as `20 Jan 2026, 10:30`, in UTC."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M}"
