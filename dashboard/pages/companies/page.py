"""The list of companies: searched, filtered, sorted, and taken away as CSV."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.companies.query import Listing
from dashboard.presentation.csv_export import as_csv
from dashboard.web.context import now, rules_in_force
from models.companies import company_list, field_names
from models.companies.companies import CORE_FIELDS
from models.companies.company_filter import Filter
from models.companies.company_list import Listed
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.people import saved_views
from rules.book import RuleBook
from rules.statuses import NOT_APPLICABLE
from services.rules.rule_books import NO_RULES

blueprint = Blueprint("companies", __name__, url_prefix="/o/<name:organization>")

PAGE = 50

FILTERED_CORE_FIELDS = tuple(name for name in CORE_FIELDS if name != "name")
"""The search finds names already."""


@blueprint.get("/companies")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """The companies that the address asks for, 50 at a time."""
    listing = Listing.from_parameters(request.args)
    address = address_of(listing)
    if "add_field" in request.args and not _is_fragment():
        return redirect(address, 303)
    try:
        shown = _read(member, listing, request.args.get("after"))
    except UnreadableCursor:
        return redirect(address, 303)
    template = "companies/fragment.html" if _is_fragment() else "companies/page.html"
    response = make_response(render_template(template, **shown))
    if _is_fragment():
        response.headers["HX-Push-Url"] = address_of(listing, after=request.args.get("after"))
    return response


@blueprint.get("/companies.csv")
@viewer
def export(member: Member) -> ResponseReturnValue:
    """All companies that a filter finds, as CSV, in the order of the list."""
    organization_id, listing = member.organization.id, Listing.from_parameters(request.args)
    with transaction():
        read_one_snapshot()
        statuses = _book(member).statuses
        wanted = listing.filter(statuses)
        fields = field_names.of_filtered(organization_id, wanted)
        found = company_list.in_order(organization_id, wanted, listing.sorting(statuses))
    written = as_csv(_read_each(organization_id, found, wanted), fields)
    response = Response(written, mimetype="text/csv")
    name = f"companies-{now():%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def address_of(listing: Listing, *, after: str | None = None) -> str:
    """The address of a list; `after` is the place in it to go on from."""
    parameters = [*listing.parameters, *([("after", after)] if after else [])]
    named: dict[str, list[str]] = {}
    for name, value in parameters:
        named.setdefault(name, []).append(value)
    return url_for("companies.page", **named)  # type: ignore[arg-type]


def _is_fragment() -> bool:
    """Whether htmx asks for the list alone; going back in the browser asks for the page."""
    headers = request.headers
    return "HX-Request" in headers and "HX-History-Restore-Request" not in headers


def _read(member: Member, listing: Listing, after: str | None) -> dict[str, Any]:
    """What the page shows."""
    organization_id = member.organization.id
    with transaction():
        read_one_snapshot()
        book = _book(member)
        statuses = book.statuses
        wanted = listing.filter(statuses)
        found = company_list.page(
            organization_id, wanted, listing.sorting(statuses), after=after, limit=PAGE
        )
        custom = field_names.names(organization_id)
        views = saved_views.visible_to(organization_id, member.person.id)
    return {
        "listing": listing,
        "found": found,
        "after": after,
        "statuses": statuses,
        "counts": _in_order(found.counts, statuses, listing.status),
        "all": sum(found.counts.values()),
        "flags": [flag.name for flag in book.flags],
        "flag_statuses": (*statuses, NOT_APPLICABLE),
        "fields": [*custom, *FILTERED_CORE_FIELDS],
        "views": views,
        "current_view": next((view for view in views if view.query == listing.query), None),
        "address_of": address_of,
    }


def _in_order(
    counts: dict[str, int], statuses: tuple[str, ...], chosen: str
) -> list[tuple[str, int]]:
    """Each status with its number: the worst first, then those that the rules do not know."""
    unknown = sorted(({*counts, chosen} - {""}) - {*statuses})
    return [(status, counts.get(status, 0)) for status in (*reversed(statuses), *unknown)]


def _book(member: Member) -> RuleBook:
    return rules_in_force(member.organization) or NO_RULES


def _read_each(
    organization_id: int, parts_of_all: Iterable[Sequence[int]], wanted: Filter
) -> Iterator[list[Listed]]:
    """Some companies at a time, between which no connection waits for a slow reader."""
    for ids in parts_of_all:
        with transaction():
            found = company_list.read(organization_id, ids, wanted)
        yield found
