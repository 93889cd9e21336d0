"""Manual changes of destinations, each with its entry in the audit log, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from models.encrypted_secrets import encrypt
from models.notifications import destinations, messages
from models.notifications.destinations import Destination, DestinationExists
from models.organizations import audit_log
from models.organizations.organizations import Organization
from rules.file.source import LONGEST_NAME
from rules.notify.entries import Service
from services.accounts.audit import Maker, change_by
from services.errors import ServiceError
from services.notifications.content import compose_test
from services.notifications.outbox import GRACE

MOST_DESTINATIONS = 100


@dataclass(frozen=True)
class NewDestination:
    """A destination to add; its URL was checked."""

    service: Service
    name: str
    url: str = field(repr=False)


class DestinationRefused(ServiceError):
    """Raised when a destination cannot be made or changed; the message is a sentence for people."""


class NoSuchDestination(ServiceError):
    """Raised when an organization has no such destination."""


def read_name(text: str) -> str:
    """Return the name of a destination that a person entered.

    Raises:
        DestinationRefused: it is no name.
    """
    name = text.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or "://" in name:
        raise DestinationRefused(
            f"A name has from 1 to {LONGEST_NAME} characters on one line, and is no URL."
        )
    return name


def add(
    organization_id: int,
    new: NewDestination,
    *,
    secret_keys: Sequence[str],
    maker: Maker,
    at: datetime,
) -> UUID:
    """Add a destination and return its id.

    Messages to a destination of this name that were recorded before are sent now.

    Raises:
        DestinationRefused: the name is taken, or there are too many.
    """
    if len(destinations.list_for_organization(organization_id)) >= MOST_DESTINATIONS:
        raise DestinationRefused(f"There are {MOST_DESTINATIONS} destinations; no more are kept.")
    try:
        id_ = destinations.add(
            organization_id,
            new.service.value,
            new.name,
            new.url,
            secret_keys=secret_keys,
            at=at,
        )
    except DestinationExists:
        raise DestinationRefused(
            f"There is a {new.service.title} destination `{new.name}` already."
        ) from None
    added = lock(organization_id, id_)
    resume_messages(added, at)
    _log(added, "Destination added", maker, at)
    return id_


def lock(organization_id: int, destination_id: UUID) -> Destination:
    """Lock and return a destination.

    Raises:
        NoSuchDestination: there is none with this id.
    """
    destination = destinations.lock(organization_id, destination_id)
    if destination is None:
        raise NoSuchDestination(str(destination_id))
    return destination


def replace_url(
    destination: Destination, url: str, *, secret_keys: Sequence[str], maker: Maker, at: datetime
) -> None:
    """Replace the URL of a locked destination, and resume it; `url` was checked."""
    destinations.set_url(destination, encrypt(url, secret_keys), urlsplit(url).netloc)
    _resume(destination, at)
    _log(destination, "Destination URL replaced", maker, at)


def enable(destination: Destination, *, maker: Maker, at: datetime) -> None:
    """Resume a locked destination, beginning with what was kept."""
    _resume(destination, at)
    _log(destination, "Destination enabled", maker, at)


def disable(destination: Destination, *, maker: Maker, at: datetime) -> None:
    """Send nothing more to a locked destination; what is recorded meanwhile is kept."""
    destinations.disable(destination, "by hand", at)
    _log(destination, "Destination disabled", maker, at)


def remove(destination: Destination, *, maker: Maker, at: datetime) -> int:
    """Remove a locked destination with its URL; return how many messages to it are cancelled."""
    cancelled = messages.cancel(
        destination.organization_id, destination.service, destination.name, at
    )
    destinations.remove(destination)
    _log(destination, "Destination removed", maker, at)
    return cancelled


def send_test(organization: Organization, service: Service, recipient: str, at: datetime) -> UUID:
    """Write a test message, which is sent once; return its id."""
    content = compose_test(organization.name, recipient).as_json()
    return messages.add_test(organization.id, service.value, recipient, content, at)


def resume_messages(destination: Destination, at: datetime) -> None:
    """Send what is kept for a destination, or waits because it failed."""
    messages.resume(
        destination.organization_id, destination.service, destination.name, at,
        planned_before=at - GRACE,
    )  # fmt: skip


def describe_state(destination: Destination) -> str:
    """Return `active`, `failing` or `disabled`."""
    if destination.disabled_at is not None:
        return "disabled"
    return "failing" if destination.failures else "active"


def _resume(destination: Destination, at: datetime) -> None:
    destinations.enable(destination)
    resume_messages(destination, at)


def _log(destination: Destination, action: str, maker: Maker, at: datetime) -> None:
    detail = {"service": destination.service, "host": destination.host}
    change = change_by(maker, at, action, destination.name, detail)
    audit_log.add(destination.organization_id, change)
