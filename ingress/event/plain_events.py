"""Recognizes nearly all valid events at a tenth of the cost of a schema, without listing faults."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeGuard

from marshmallow import ValidationError, validate

from ingress.event.event_ids import id_fault
from ingress.event.timestamps import FUTURE_TOLERANCE, parse_timestamp
from ingress.event.valid_event import LONGEST_TEXT, ValidEvent

OPTIONAL_NAMES = frozenset(
    ("payment_provider", "payment_provider_id", "crm_provider", "crm_provider_id")
)
"""Optional fields of a company that are names."""

MAX_CACHED_EMAILS = 10_000
"""Users recur, and checking an email takes longer than checking the rest of a user."""

_check_email = validate.Email()


def recognize(payload: Mapping[str, Any], received_at: datetime) -> ValidEvent | None:
    """Return a storable event if it is plainly valid: `ingress.event.schema` would find no fault.

    None means that it may be valid or not.
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
            or all(name is None or _is_name(name) for name in map(value.get, OPTIONAL_NAMES))
        )
    )


def _is_user(value: Any) -> bool:
    if type(value) is not dict or not _is_name(value.get("id")):
        return False
    name, email = value.get("name"), value.get("email")
    return (name is None or _is_name(name)) and (
        email is None or (type(email) is str and _is_email(email))
    )


@lru_cache(MAX_CACHED_EMAILS)
def _is_email(text: str) -> bool:
    try:
        return bool(_check_email(text))
    except ValidationError:
        return False
