"""`GET /v1/companies` and `GET /v1/companies/{id}/health`."""

from typing import Any

from flask import Response, request

from dashboard.api.authentication import requesting_organization
from dashboard.api.parameters import (
    check_parameters,
    fault,
    invalid_cursor,
    invalid_query,
    page_limit,
)
from dashboard.web.context import app_context, now, rules_in_force
from ingress.client.answers import json_answer
from ingress.client.errors import ApiError
from models.companies import company_list
from models.companies.company_filter import CompanyFilter, possible_values
from models.companies.company_list import ListedCompany, Order, Sorting
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from services.health.as_json import explanation_json, json_value
from services.health.explanation import explain

PARAMETERS = ("status", "flag", "flag_status", "search", "owner", "left", "sort", "after", "limit")
LONGEST_SEARCH = 200
"""Characters, as many as an id or name has."""

MOST_FIELDS = 20
"""Filters by fields in one request."""

FIELD = "field."
"""The prefix of parameters that filter by a field, such as `field.plan=Enterprise`."""

_LEFT = {"true": True, "false": False}

_ORDERS = {order.value.replace(" ", "_"): order for order in Order}


def list_companies() -> Response:
    """Answer with one page of the companies that match the filter."""
    check_parameters(PARAMETERS, FIELD)
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
        explanation = None
        if "\0" not in company:
            version, rulebooks = organization.rules_version, app_context().rulebooks
            explanation = explain(organization.id, company, version, now(), rulebooks)
    if explanation is None:
        raise ApiError(404, "Company not found", [fault("id", "Nothing has named this company")])
    return json_answer(json_value(explanation_json(explanation)))


def _filter() -> CompanyFilter:
    parameters = request.args
    if parameters.get("flag_status") and not parameters.get("flag"):
        raise invalid_query(fault("flag_status", "Needs `flag`, which says the flag it is of"))
    if parameters.get("flag") and not parameters.get("flag_status"):
        raise invalid_query(fault("flag", "Needs `flag_status`, which says how it stands"))
    if len(parameters.get("search", "")) > LONGEST_SEARCH:
        raise invalid_query(fault("search", f"Expected at most {LONGEST_SEARCH} characters"))
    given = [name for name, _ in parameters.items(multi=True) if name.startswith(FIELD)]
    if len(given) > MOST_FIELDS:
        raise invalid_query(fault(given[MOST_FIELDS], f"Expected at most {MOST_FIELDS} fields"))
    fields: dict[str, tuple[Any, ...]] = {}
    for name, values in parameters.lists():
        if name.startswith(FIELD):
            fields[name.removeprefix(FIELD)] = tuple(m for v in values for m in possible_values(v))
    if parameters.get("left") not in (None, *_LEFT):
        raise invalid_query(fault("left", f"Expected {' or '.join(_LEFT)}"))
    return CompanyFilter(
        text=parameters.get("search"),
        status=parameters.get("status"),
        flag=parameters.get("flag"),
        flag_status=parameters.get("flag_status"),
        owners=tuple(parameters.getlist("owner")),
        fields=tuple(fields.items()),
        left=_LEFT.get(parameters.get("left", "")),
    )


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
        "owner": company.owner,
        "value": None if company.value is None else float(company.value),
        "renewal": company.renews_on and company.renews_on.isoformat(),
        "left_on": company.left_on and company.left_on.isoformat(),
        "raised_flags": [dict(raised) for raised in company.raised],
        "fields": company.traits,
    }
