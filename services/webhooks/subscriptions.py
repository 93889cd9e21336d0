"""Checks the subscription of a webhook URL, and matches transitions against it."""

import socket
from collections.abc import Iterable, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from models.companies.companies import Company
from models.health.transitions import StoredTransition
from models.webhooks.webhook_endpoints import Subscription
from rules.facts import value_at
from rules.language.mistakes import PhraseError
from rules.language.parser import parse_offset
from rules.phrases.fields import field_path, matches_value
from services.errors import ServiceError
from services.webhooks.addresses import AddressPolicy, AddressRefused, Network
from services.webhooks.payload import event_type

LONGEST_OVERLAP = timedelta(days=7)
"""The longest time for which two secrets of an endpoint may sign."""


class InvalidSubscription(ServiceError):
    """Raised when a subscription is invalid; the message is a sentence for people."""


def check_url(url: str, allowed_nets: Sequence[Network]) -> str | None:
    """Check that webhooks may be sent to a URL; return a warning for the subscriber or None.

    Raises:
        InvalidSubscription: webhooks may not be sent to it.
    """
    policy = AddressPolicy(allowed_nets)
    try:
        policy.check_url(url)
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        policy.resolve(parts.hostname or "", parts.port or (443 if secure else 80), secure=secure)
    except AddressRefused as error:
        raise InvalidSubscription(f"{error}.") from None
    except (socket.gaierror, UnicodeError):
        host = urlsplit(url).hostname
        if urlsplit(url).scheme == "http":
            raise InvalidSubscription(
                f"{host} does not resolve; a URL elsewhere must be https."
            ) from None
        return f"{host} does not resolve at the moment."
    return None


def read_fields(pairs: Iterable[str]) -> dict[str, list[str]] | None:
    """Return the company fields in `FIELD=VALUE` pairs, each with its values; None without any.

    Raises:
        InvalidSubscription: a pair has another form.
    """
    fields: dict[str, list[str]] = {}
    for pair in pairs:
        field, equals, value = pair.partition("=")
        if not field or not equals:
            raise InvalidSubscription(f"`{pair}` is not FIELD=VALUE.")
        fields.setdefault(field.removeprefix("company."), []).append(value)
    return fields or None


def read_overlap(text: str) -> timedelta:
    """Return how long the former secret continues to sign after a rotation.

    Raises:
        InvalidSubscription: it is not a duration, or too long.
    """
    try:
        overlap = parse_offset(text)
    except PhraseError as error:
        raise InvalidSubscription(error.message) from None
    if overlap > LONGEST_OVERLAP:
        raise InvalidSubscription("two secrets may sign for up to 7 days.")
    return overlap


def matches(subscription: Subscription, transition: StoredTransition, company: Company) -> bool:
    """Whether a subscription includes a transition of a company."""
    if (
        subscription.event_types is not None
        and event_type(transition) not in subscription.event_types
    ):
        return False
    if subscription.statuses is not None and (
        transition.to_status not in subscription.statuses
        or transition.from_status == transition.to_status
    ):
        return False
    if subscription.companies is not None and company.external_id not in subscription.companies:
        return False
    fields = company.traits.custom | company.traits.core
    for field, values in (subscription.company_fields or {}).items():
        actual = value_at(fields, field_path(field))
        if actual is None or not any(matches_value(actual, value) for value in values):
            return False
    return True
