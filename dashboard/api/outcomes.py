"""`GET /v1/outcomes` and `POST /v1/outcomes`."""

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
from flask import Response, g, request

from dashboard.api.authentication import requesting_organization
from dashboard.api.parameters import (
    check_parameters,
    fault,
    invalid_cursor,
    invalid_query,
    page_limit,
)
from dashboard.web.context import now
from ingress.client.answers import json_answer
from ingress.client.errors import ApiError
from models.companies import companies
from models.cursors import UnreadableCursor
from models.database import transaction
from models.keys import api_keys
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome, Outcome, OutcomeFilter, OutcomeKind
from services.accounts.audit import Maker
from services.health.as_json import json_value
from services.outcomes.entering import MOST, Entered, OutcomeRefused, enter

_KINDS = ", ".join(OutcomeKind)
_KNOWN = ("company_id", "kind", "day", "amount", "note")


def list_outcomes() -> Response:
    """Answer with a page of outcomes, the newest day first."""
    check_parameters(("kind", "since", "until", "after", "limit"))
    kind = request.args.get("kind")
    if kind is not None and _as_kind(kind) is None:
        raise invalid_query(fault("kind", f"Expected one of {_KINDS}"))
    matching = OutcomeFilter(_as_kind(kind), _day("since"), _day("until"))
    with transaction():
        organization = requesting_organization()
        try:
            listed, following = outcomes.read_page(
                organization.id, matching, after=request.args.get("after"), limit=page_limit()
            )
        except UnreadableCursor:
            raise invalid_cursor() from None
    body = {"outcomes": [_outcome_json(outcome) for outcome in listed], "next": following}
    return json_answer(json_value(body))


def enter_outcome() -> Response:
    """Enter an outcome of a company: 201 if it is new, 200 if it exists already."""
    check_parameters(())
    company_id, new = _read_body(request.get_data())
    with transaction():
        organization = requesting_organization()
        company = companies.find(organization.id, company_id)
        if company is None:
            details = [fault("company_id", "Nothing has named this company")]
            raise ApiError(404, "Company not found", details)
        try:
            entered = enter(company, NewOutcome(company.id, **new), _maker(organization.id), now())
        except OutcomeRefused as error:
            raise _invalid(fault(error.field, str(error))) from None
    status = 201 if entered.did is Entered.CREATED else 200
    return json_answer(json_value(_outcome_json(entered.outcome)), status)


def _maker(organization_id: int) -> Maker:
    """Return the key of the request as the maker of a change."""
    keys = api_keys.list_for_organization(organization_id)
    name = next((key.name for key in keys if key.id == g.key_id), "")
    return Maker(f"API key {name}".strip())


def _read_body(data: bytes) -> tuple[str, dict[str, Any]]:
    """Return the company's id and the parts of the outcome.

    Raises:
        ApiError: the body is no outcome; it lists every fault.
    """
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise ApiError(400, "Invalid JSON") from None
    if not isinstance(body, dict):
        raise _invalid({"path": [], "message": "Expected an object"})
    faults = [fault(name, "Unknown field") for name in body if name not in _KNOWN]
    company_id, day = body.get("company_id"), body.get("day")
    kind = _as_kind(body.get("kind"))
    amount, note = body.get("amount"), body.get("note") or ""
    if not (isinstance(company_id, str) and company_id and "\0" not in company_id):
        faults.append(fault("company_id", "Expected your own ID of the company"))
    if kind is None:
        faults.append(fault("kind", f"Expected one of {_KINDS}"))
    if (read_day := _as_day(day)) is None:
        faults.append(fault("day", "Expected a day such as 2026-01-31"))
    if isinstance(amount, bool) or not isinstance(amount, int | float | None):
        faults.append(fault("amount", "Expected a number or null"))
    if not isinstance(note, str):
        faults.append(fault("note", "Expected a text"))
    if faults:
        raise _invalid(*faults)
    exact = None if amount is None else Decimal(str(amount))
    if exact is not None and abs(exact) < MOST:
        exact = exact.quantize(Decimal("0.01"))
    new = {"kind": kind, "day": read_day, "amount": exact, "note": note}
    return str(company_id), new


def _as_kind(text: Any) -> OutcomeKind | None:
    return next((kind for kind in OutcomeKind if kind == text), None)


def _day(name: str) -> date | None:
    text = request.args.get(name)
    day = _as_day(text)
    if text is not None and day is None:
        raise invalid_query(fault(name, "Expected a day such as 2026-01-31"))
    return day


def _as_day(text: Any) -> date | None:
    """Return the day that a text writes as `2026-01-31`; None if it is none."""
    try:
        return date.fromisoformat(text) if isinstance(text, str) and len(text) == 10 else None
    except ValueError:
        return None


def _invalid(*faults: dict[str, Any]) -> ApiError:
    return ApiError(400, "Validation failed", faults)


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.id,
        "company": {"id": outcome.company, "name": outcome.company_name},
        "kind": outcome.kind.value,
        "day": outcome.day.isoformat(),
        "amount": None if outcome.amount is None else float(outcome.amount),
        "note": outcome.note,
        "entered_by": outcome.entered_by,
        "entered_at": outcome.entered_at,
        "changed_at": outcome.changed_at,
    }
