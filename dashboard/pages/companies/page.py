"""The list of companies: search, filters, order, and export as CSV."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.access.visitors import reader_zone
from dashboard.pages.companies.query import CompanyQuery
from dashboard.presentation.csv_export import MOST_COLUMNS, as_csv
from dashboard.web.context import now, rules_in_force
from models.companies import company_counts, company_list
from models.companies.companies import LINK_FIELDS
from models.companies.company_filter import CompanyFilter
from models.companies.company_list import ListedCompany
from models.companies.fields import field_names
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.people import saved_views
from rules.book import RuleBook
from rules.statuses import NOT_APPLICABLE
from services.rules.rule_books import NO_RULES

blueprint = Blueprint("companies", __name__, url_prefix="/o/<name:organization>")

PAGE = 50

OWNERS = 5
"""The owners that are offered where none matches."""


@blueprint.get("/companies")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the companies that match the query string, 50 per page."""
    query = CompanyQuery.from_parameters(request.args)
    url = address_of(query)
    if "add_field" in request.args and not _is_fragment():
        return redirect(url, 303)
    try:
        values = _read(member, query, request.args.get("after"))
    except UnreadableCursor:
        return redirect(url, 303)
    template = "companies/fragment.html" if _is_fragment() else "companies/page.html"
    response = make_response(render_template(template, **values))
    if _is_fragment():
        response.headers["HX-Push-Url"] = address_of(query, after=request.args.get("after"))
    return response


@blueprint.get("/companies.csv")
@viewer
def export(member: Member) -> ResponseReturnValue:
    """Export all companies that match the query as CSV, in the order of the list."""
    organization_id, query = member.organization.id, CompanyQuery.from_parameters(request.args)
    with transaction():
        read_one_snapshot()
        statuses = _book(member).statuses
        company_filter = query.filter(statuses, member.owners)
        fields = field_names.list_for_filter(
            organization_id, company_filter, limit=MOST_COLUMNS + 1
        )
        id_chunks = company_list.list_ids_in_order(
            organization_id, company_filter, query.sorting(statuses)
        )
    lines = as_csv(_read_chunks(organization_id, id_chunks, company_filter), fields)
    response = Response(lines, mimetype="text/csv")
    name = f"companies-{now().astimezone(reader_zone()):%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def address_of(query: CompanyQuery, *, after: str | None = None) -> str:
    """Return the URL of a list; `after` is the cursor of a page."""
    parameters = [*query.parameters, *([("after", after)] if after else [])]
    named: dict[str, list[str]] = {}
    for name, value in parameters:
        named.setdefault(name, []).append(value)
    return url_for("companies.page", **named)  # type: ignore[arg-type]


def _is_fragment() -> bool:
    """Whether htmx requests the list alone; going back in the browser requests the whole page."""
    headers = request.headers
    return "HX-Request" in headers and "HX-History-Restore-Request" not in headers


def _read(member: Member, query: CompanyQuery, after: str | None) -> dict[str, Any]:
    """Read what the page shows, as variables of its template."""
    organization_id = member.organization.id
    with transaction():
        read_one_snapshot()
        book = _book(member)
        statuses = book.statuses
        company_filter = query.filter(statuses, member.owners)
        result = company_list.read_page(
            organization_id, company_filter, query.sorting(statuses), after=after, limit=PAGE
        )
        custom = field_names.list_names(organization_id)
        owners = []
        if query.owner and not result.total:
            owners = company_counts.count_by_owner(organization_id, limit=OWNERS)
        views = saved_views.list_visible_to(organization_id, member.person.id)
    return {
        "query": query,
        "result": result,
        "after": after,
        "statuses": statuses,
        "team": book.team,
        "owners_sought": query.owners_for(member.owners),
        "owners": owners,
        "phrase": lambda raised: book.threshold(raised["flag"], book.level_of(raised["status"])),
        "counts": _in_order(result.counts, statuses, query.status),
        "all": sum(result.counts.values()),
        "flags": [flag.name for flag in book.flags],
        "flag_statuses": (*statuses, NOT_APPLICABLE),
        "fields": [*custom, *LINK_FIELDS],
        "views": views,
        "current_view": next((view for view in views if view.query == query.query_string), None),
        "address_of": address_of,
    }


def _in_order(
    counts: dict[str, int], statuses: tuple[str, ...], chosen: str
) -> list[tuple[str, int]]:
    """Return the counts by status, worst first, then of statuses that the rules do not have."""
    unknown = sorted(({*counts, chosen} - {""}) - {*statuses})
    return [(status, counts.get(status, 0)) for status in (*reversed(statuses), *unknown)]


def _book(member: Member) -> RuleBook:
    return rules_in_force(member.organization) or NO_RULES


def _read_chunks(
    organization_id: int, id_chunks: Iterable[Sequence[int]], company_filter: CompanyFilter
) -> Iterator[list[ListedCompany]]:
    """Read companies in chunks, without keeping a connection while a slow client downloads."""
    for ids in id_chunks:
        with transaction():
            listed = company_list.read(organization_id, ids, company_filter)
        yield listed
