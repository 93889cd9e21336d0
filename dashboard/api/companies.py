"""`GET /v1/companies` and `GET /v1/companies/{id}/health`."""

from dataclasses import asdict
from typing import Any

from flask import Response, request

from dashboard.api.reading import (
    answer,
    asked_limit,
    check_known,
    fault,
    invalid,
    organization_at_hand,
    unknown_place,
)
from dashboard.web.context import now, parts, rules_in_force
from ingress.client.errors import ApiError
from models.companies import company_list
from models.companies.company_filter import Filter, meanings
from models.companies.company_list import Listed, Order, Sorting
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from services.health.as_json import explained
from services.health.explanation import explain

PARAMETERS = ("status", "flag", "flag_status", "search", "sort", "after", "limit")
FIELD = "field."
"""A parameter such as `field.plan=Enterprise` names a field and a value that it must have."""

_ORDERS = {order.value.replace(" ", "_"): order for order in Order}


def list_companies() -> Response:
    """The companies that a filter finds, a page of them."""
    check_known(PARAMETERS, FIELD)
    wanted, after, limit = _wanted(), request.args.get("after"), asked_limit()
    by, descending = _order()
    with transaction():
        read_one_snapshot()
        organization = organization_at_hand()
        book = rules_in_force(organization)
        sorting = Sorting(by, descending, tuple(book.statuses) if book else ())
        try:
            page = company_list.page(organization.id, wanted, sorting, after=after, limit=limit)
        except UnreadableCursor:
            raise unknown_place() from None
    companies = [_listed(company) for company in page.companies]
    return answer({"companies": companies, "total": page.total, "next": page.next})


def tell_health(company: str) -> Response:
    """Why a company has its status, as `brazebee explain --json` says it."""
    check_known(())
    with transaction():
        read_one_snapshot()
        organization = organization_at_hand()
        found = None
        if "\0" not in company:
            version, rulebooks = organization.rules_version, parts().rulebooks
            found = explain(organization.id, company, version, now(), rulebooks)
    if found is None:
        raise ApiError(404, "Company not found", [fault("id", "No event has named this company")])
    return answer(explained(found))


def _wanted() -> Filter:
    asked = request.args
    if asked.get("flag_status") and not asked.get("flag"):
        raise invalid(fault("flag_status", "Needs `flag`, which says the flag it is of"))
    if asked.get("flag") and not asked.get("flag_status"):
        raise invalid(fault("flag", "Needs `flag_status`, which says how it stands"))
    fields: dict[str, tuple[Any, ...]] = {}
    for name, values in asked.lists():
        if name.startswith(FIELD):
            fields[name.removeprefix(FIELD)] = tuple(m for v in values for m in meanings(v))
    return Filter(
        text=asked.get("search"),
        status=asked.get("status"),
        flag=asked.get("flag"),
        flag_status=asked.get("flag_status"),
        fields=tuple(fields.items()),
    )


def _order() -> tuple[Order, bool]:
    text = request.args.get("sort", Order.NAME.value)
    name = text.removeprefix("-")
    if name not in _ORDERS:
        expected = ", ".join(_ORDERS)
        raise invalid(fault("sort", f"Expected one of {expected}, from the greatest with - before"))
    return _ORDERS[name], text != name


def _listed(company: Listed) -> dict[str, Any]:
    told = asdict(company)
    return {**{name: told[name] for name in told if name != "traits"}, "fields": company.traits}
