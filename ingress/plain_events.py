"""Recognizes nearly all valid events at a tenth of what a schema costs; it tells no faults."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeGuard

from marshmallow import ValidationError, validate

from ingress.event import LONGEST_TEXT, ValidEvent
from ingress.event_ids import id_fault
from ingress.timestamps import FUTURE_TOLERANCE, parse_timestamp

OPTIONAL_NAMES = frozenset(
    ("payment_provider", "payment_provider_id", "crm_provider", "crm_provider_id")
)
"""Fields of a company that are names where they are given."""

REMEMBERED_EMAILS = 10_000
"""Users come again and again, and an address takes longer to check than the rest of them."""

_check_email = validate.Email()


def recognize(payload: Mapping[str, Any], received_at: datetime) -> ValidEvent | None:
    """A storable event, if it is plainly valid: it has no fault that `ingress.schema` would tell.

    None says nothing.
    """
    key, company = payload.get("event_key"), payload.get("company")
    user, data = payload.get("user"), payload.get("data")
    own_id, timestamp = payload.get("event_id"), payload.get("timestamp")
    if not (
        _is_name(key)
        and _is_company(company)
        and (user is None or _is_user(user))
        and (data is None or type(data) is dict)
        and (own_id is None or (type(own_id) is str and not id_fault(own_id)))
    ):
        return None
    occurred_at = received_at
    if timestamp is not None:
        try:
            occurred_at = parse_timestamp(timestamp)
        except (OverflowError, TypeError, ValueError):
            return None
        if occurred_at > received_at:
            if occurred_at > received_at + FUTURE_TOLERANCE:
                return None
            occurred_at = received_at
    return ValidEvent(key, company, user, data, occurred_at, own_id)


def _is_name(value: Any) -> TypeGuard[str]:
    return type(value) is str and len(value) <= LONGEST_TEXT and value.strip() != ""


def _is_company(value: Any) -> TypeGuard[dict[str, Any]]:
    return (
        type(value) is dict
        and _is_name(value.get("id"))
        and _is_name(value.get("name"))
        and (
            value.keys().isdisjoint(OPTIONAL_NAMES)
            or all(given is None or _is_name(given) for given in map(value.get, OPTIONAL_NAMES))
        )
    )


def _is_user(value: Any) -> bool:
    if type(value) is not dict or not _is_name(value.get("id")):
        return False
    name, email = value.get("name"), value.get("email")
    return (name is None or _is_name(name)) and (
        email is None or (type(email) is str and _is_email(email))
    )


@lru_cache(REMEMBERED_EMAILS)
def _is_email(text: str) -> bool:
    try:
        return bool(_check_email(text))
    except ValidationError:
        return False
