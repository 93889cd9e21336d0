"""The list of companies: search, filters, columns, order, and export as CSV."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.access.visitors import reader_zone
from dashboard.filters.field_filters import FieldFilter, Verb
from dashboard.pages.companies.columns import Column, addable, usual_columns
from dashboard.pages.companies.explanations import OFFERED, explain, in_names_of_rules
from dashboard.pages.companies.orders import orders_of
from dashboard.pages.companies.query import MINE, RENEWS_IN, CompanyQuery
from dashboard.pages.companies.reasons import MOST_SHOWN, reasons_of
from dashboard.presentation.charts.activity import draw_activity
from dashboard.presentation.csv_export import MOST_COLUMNS, as_csv
from dashboard.web.addresses import page_of_list
from dashboard.web.context import now, rules_in_force
from dashboard.web.page_size import CHOICES, page_size
from models.companies import company_list
from models.companies.companies import LINK_FIELDS
from models.companies.company_filter import CompanyFilter
from models.companies.company_list import ListedCompany
from models.companies.fields import field_names
from models.companies.fields.export import find as find_exported
from models.companies.filters import field_values
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.events.activity.active_days import count_active_days
from models.people import saved_views
from rules.book import RuleBook
from rules.statuses import NOT_APPLICABLE
from services.rules.rule_books import NO_RULES
from services.work_items import snoozes
from services.work_items.assignees import Assignees

blueprint = Blueprint("companies", __name__, url_prefix="/o/<name:organization>")


@blueprint.get("/companies")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the companies that match the query string, a page of them."""
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
        _note_in_history(response, query, address_of(query, after=request.args.get("after")))
    return response


@blueprint.get("/field-values")
@viewer
def offer_values(member: Member) -> ResponseReturnValue:
    """Show the most frequent values of a column or field, for the form that adds a filter."""
    query = CompanyQuery.from_parameters(request.args)
    name = request.args.get("add_field", "")
    with transaction():
        read_one_snapshot()
        values = field_values.count_values(member.organization.id, name, limit=OFFERED)
    return render_template(
        "companies/offered_values.html",
        query=query,
        name=name,
        values=values,
        address_of=address_of,
        filter_by=lambda value: FieldFilter(name, Verb.IS, value),
    )


@blueprint.get("/companies.csv")
@viewer
def export(member: Member) -> ResponseReturnValue:
    """Export all companies that match the query as CSV, in the order of the list."""
    organization_id, query = member.organization.id, CompanyQuery.from_parameters(request.args)
    with transaction():
        read_one_snapshot()
        book = _book(member)
        query = in_names_of_rules(query, book).sortable(book.team)
        statuses = book.statuses
        today = now().astimezone(reader_zone()).date()
        company_filter = query.filter(statuses, member.owners, today)
        found = find_exported(
            organization_id, company_filter, query.sorting(statuses), most_fields=MOST_COLUMNS + 1
        )
    lines = as_csv(_read_chunks(organization_id, found.chunks, company_filter), found.fields)
    response = Response(lines, mimetype="text/csv")
    name = f"companies-{today:%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def address_of(query: CompanyQuery, *, after: str | None = None, rows: int | None = None) -> str:
    """Return the URL of a list; `after` is the cursor of a page, and `rows` the size of pages."""
    return page_of_list("companies.page", query.parameters, after, rows)


def _is_fragment() -> bool:
    """Whether htmx requests the list alone; going back in the browser requests the whole page."""
    headers = request.headers
    return "HX-Request" in headers and "HX-History-Restore-Request" not in headers


def _note_in_history(response: Response, query: CompanyQuery, address: str) -> None:
    """Let the browser show the address of the list, as one step back for each thing that changed.

    The same list again, such as when a field loses the focus, and more letters of a search, are no
    steps of their own.
    """
    shown = urlsplit(request.headers.get("HX-Current-URL", "")).query
    before = CompanyQuery.from_query(shown)
    same = before == query and "after" not in request.args and "after=" not in shown
    typing = bool(before.text and query.text) and before.having(text="") == query.having(text="")
    response.headers["HX-Replace-Url" if same or typing else "HX-Push-Url"] = address


def _read(member: Member, query: CompanyQuery, after: str | None) -> dict[str, Any]:
    """Read what the page shows, as variables of its template."""
    at, organization_id, size = now(), member.organization.id, page_size()
    with transaction():
        read_one_snapshot()
        book = _book(member)
        statuses, sought = book.statuses, in_names_of_rules(query, book)
        query = sought.sortable(book.team)
        today = at.astimezone(reader_zone()).date()
        company_filter = query.filter(statuses, member.owners, today)
        result = company_list.read_page(
            organization_id, company_filter, query.sorting(statuses), after=after, limit=size
        )
        custom = field_names.list_names(organization_id)
        explanations = [] if result.total else explain(organization_id, query, book)
        views = saved_views.list_visible_to(organization_id, member.person.id)
        members = Assignees(organization_id).members if member.may("editor") else ()
        usual = usual_columns(book.team)
        shown = query.columns or usual
        listed = result.companies
        ids = [company.id for company in listed]
        activity = count_active_days(organization_id, ids, at) if "activity" in shown else {}
        reasons = reasons_of(member, listed, at) if "why" in shown else {}
    fields = [*custom, *LINK_FIELDS]
    return {
        "query": query,
        "result": result,
        "after": after,
        "page_size": size,
        "page_sizes": CHOICES,
        "from_list": query.query_string + (f"&after={after}" if after else ""),
        "statuses": statuses,
        "team": book.team,
        "unsorted": sought.sort.removeprefix("-") if sought != query else None,
        "explanations": explanations,
        "owners_sought": member.owners,
        "filter_by": lambda name, value: FieldFilter(name, Verb.IS, value),
        "verbs": list(Verb),
        "phrase": lambda raised: book.threshold(raised["flag"], book.level_of(raised["status"])),
        "reasons": reasons,
        "most_reasons": MOST_SHOWN,
        "activity": {company: draw_activity(days) for company, days in activity.items()},
        "counts": _in_order(result.counts, statuses, query.status),
        "all": sum(result.counts.values()),
        "flags": [flag.name for flag in book.flags],
        "flag_statuses": (*statuses, NOT_APPLICABLE),
        "fields": fields,
        "columns": [Column(name) for name in shown],
        "orders_of": orders_of,
        "shown": shown,
        "usual": usual,
        "addable": addable(shown, fields),
        "quick": [
            *([MINE] if book.team.owner else []),
            *(RENEWS_IN if book.team.renewal else ()),
        ],
        "views": views,
        "members": members,
        "snooze_days": snoozes.DAYS,
        "form_id": uuid4(),
        "current_view": next((view for view in views if _is_of(view.query, query)), None),
        "address_of": address_of,
    }


def _is_of(view_query: str, query: CompanyQuery) -> bool:
    """Whether a saved view, which an earlier release may have written, is this query."""
    return CompanyQuery.from_query(view_query) == query


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
