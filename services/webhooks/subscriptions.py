"""What somebody who subscribes a URL may ask for, checked before it is stored."""

import socket
from collections.abc import Iterable, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from models.companies.companies import Company
from models.health.transitions import StoredTransition
from models.webhooks.webhook_endpoints import Wanted
from rules.facts import value_at
from rules.language.mistakes import PhraseError
from rules.language.parser import parse_offset
from rules.phrases.fields import field_path, matches_value
from services.webhooks.addresses import AddressPolicy, AddressRefused, Network
from services.webhooks.payload import event_type

LONGEST_OVERLAP = timedelta(days=7)
"""How long two secrets of an endpoint may sign."""


class InvalidSubscription(Exception):
    """Raised when a subscription asks for what cannot be, with a sentence on why."""


def check_url(url: str, allowed_nets: Sequence[Network]) -> str | None:
    """See that attempts may reach a URL; a note for who subscribes it, if there is one.

    Raises:
        InvalidSubscription: no attempt would be allowed to.
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
    """The fields of companies that `FIELD=VALUE` names, each with its values; None without any.

    Raises:
        InvalidSubscription: one is not of that form.
    """
    wanted: dict[str, list[str]] = {}
    for pair in pairs:
        field, equals, value = pair.partition("=")
        if not field or not equals:
            raise InvalidSubscription(f"`{pair}` is not FIELD=VALUE.")
        wanted.setdefault(field.removeprefix("company."), []).append(value)
    return wanted or None


def read_overlap(text: str) -> timedelta:
    """How long the former secret goes on signing after a new one is made.

    Raises:
        InvalidSubscription: it is no duration, or too long.
    """
    try:
        overlap = parse_offset(text)
    except PhraseError as error:
        raise InvalidSubscription(error.message) from None
    if overlap > LONGEST_OVERLAP:
        raise InvalidSubscription("two secrets may sign for up to 7 days.")
    return overlap


def wants(wanted: Wanted, transition: StoredTransition, company: Company) -> bool:
    """Whether a transition of a company is wanted."""
    if wanted.event_types is not None and event_type(transition) not in wanted.event_types:
        return False
    if wanted.statuses is not None and (
        transition.to_status not in wanted.statuses
        or transition.from_status == transition.to_status
    ):
        return False
    if wanted.companies is not None and company.external_id not in wanted.companies:
        return False
    fields = company.traits.custom | company.traits.core
    for field, values in (wanted.company_fields or {}).items():
        found = value_at(fields, field_path(field))
        if found is None or not any(matches_value(found, value) for value in values):
            return False
    return True
