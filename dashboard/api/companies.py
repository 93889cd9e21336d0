"""`GET /v1/companies` and `GET /v1/companies/{id}/health`."""

from typing import Any

from flask import Response, request

from dashboard.api.authentication import requesting_organization
from dashboard.api.parameters import (
    ID,
    check_parameters,
    fault,
    invalid_cursor,
    invalid_query,
    page_limit,
)
from dashboard.filters.field_filters import FieldFilter, conditions, read_filter
from dashboard.web.context import app_context, now, rules_in_force
from ingress.client.answers import json_answer
from ingress.client.errors import ApiError
from models.companies import company_list
from models.companies.company_filter import CompanyFilter
from models.companies.company_list import ListedCompany, Order, Sorting
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from services.health.as_json import explanation_json, json_value
from services.health.explanation import explain

PARAMETERS = ("status", "flag", "flag_status", "search", "left", "sort", "after", "limit")
LONGEST_SEARCH = 200
"""Characters, as many as an id or name has."""

MOST_FILTERS = 20
"""Filters by columns and fields in one request; see `dashboard.filters`."""

_LEFT = {"true": True, "false": False}

_ORDERS = {order.value.replace(" ", "_"): order for order in Order if order is not Order.FIELD}


def list_companies() -> Response:
    """Answer with one page of the companies that match the filter."""
    check_parameters(PARAMETERS, _is_filter)
    matching, after, limit = _filter(), request.args.get("after"), page_limit()
    by, descending = _order()
    with transaction():
        read_one_snapshot()
        organization = requesting_organization()
        book = rules_in_force(organization)
        sorting = Sorting(by, descending, tuple(book.statuses) if book else ())
        try:
            page = company_list.read_page(
                organization.id, matching, sorting, after=after, limit=limit
            )
        except UnreadableCursor:
            raise invalid_cursor() from None
    companies = [_company_json(company) for company in page.companies]
    return json_answer(json_value({"companies": companies, "total": page.total, "next": page.next}))


def explain_health(company: str) -> Response:
    """Answer why a company has its status; the body is that of `brazebee explain --json`."""
    check_parameters(())
    with transaction():
        read_one_snapshot()
        organization = requesting_organization()
        version, rulebooks = organization.rules_version, app_context().rulebooks
        explanation = explain(organization.id, company, version, now(), rulebooks)
    if explanation is None:
        raise ApiError(404, "Company not found", [fault(ID, "Nothing has named this company")])
    return json_answer(json_value(explanation_json(explanation)))


def _filter() -> CompanyFilter:
    parameters = request.args
    flags = parameters.getlist("flag")
    if parameters.get("flag_status") and not flags:
        raise invalid_query(fault("flag_status", "Needs `flag`, which says the flag it is of"))
    if flags and not parameters.get("flag_status"):
        raise invalid_query(fault("flag", "Needs `flag_status`, which says how it stands"))
    if len(parameters.get("search", "")) > LONGEST_SEARCH:
        raise invalid_query(fault("search", f"Expected at most {LONGEST_SEARCH} characters"))
    if parameters.get("left") not in (None, *_LEFT):
        raise invalid_query(fault("left", f"Expected {' or '.join(_LEFT)}"))
    return CompanyFilter(
        text=parameters.get("search"),
        status=parameters.get("status"),
        flags=tuple(flags),
        flag_status=parameters.get("flag_status"),
        left=_LEFT.get(parameters.get("left", "")),
        conditions=conditions(_field_filters(), (), now().date()),
    )


def _field_filters() -> list[FieldFilter]:
    given = [
        (name, value) for name, value in request.args.items(multi=True) if _is_field_filter(name)
    ]
    if len(given) > MOST_FILTERS:
        name, _ = given[MOST_FILTERS]
        raise invalid_query(fault(name, f"Expected at most {MOST_FILTERS} filters"))
    filters = [found for name, value in given if (found := read_filter(name, value))]
    faults = [
        fault(found.name, f"`{found.value}` {found.problem}") for found in filters if found.problem
    ]
    if faults:
        raise invalid_query(*faults)
    return filters


def _is_filter(name: str) -> bool:
    """Whether a parameter may be repeated."""
    return name == "flag" or _is_field_filter(name)


def _is_field_filter(name: str) -> bool:
    return read_filter(name, "") is not None


def _order() -> tuple[Order, bool]:
    text = request.args.get("sort", Order.NAME.value)
    name = text.removeprefix("-")
    if name not in _ORDERS:
        expected = ", ".join(_ORDERS)
        raise invalid_query(
            fault("sort", f"Expected one of {expected}, from the greatest with - before")
        )
    return _ORDERS[name], text != name


def _company_json(company: ListedCompany) -> dict[str, Any]:
    return {
        "id": company.id,
        "name": company.name,
        "health_status": company.health_status,
        "score": company.score,
        "previous_status": company.previous_status,
        "since": company.since,
        "last_event_at": company.last_event_at,
        "left_on": company.left_on and company.left_on.isoformat(),
        "owner": company.owner,
        "value": None if company.value is None else float(company.value),
        "renewal": company.renews_on and company.renews_on.isoformat(),
        "raised_flags": [dict(raised) for raised in company.raised],
        "fields": company.traits,
    }
