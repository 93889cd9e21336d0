"""Destinations of notifications: Slack and Teams channels, each by the URL that posts to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from peewee import IntegrityError
from uuid_utils.compat import uuid7

from models.database import database, query
from models.encrypted_secrets import SecretUnreadable, decrypt, encrypt
from models.errors import ModelError
from models.notifications.tables import DestinationRow


class DestinationExists(ModelError):
    """Raised when an organization has a destination of the same service and name already."""


@dataclass(frozen=True)
class Destination:
    """A Slack or Teams channel; `host` is all of its URL that may be shown or logged."""

    organization_id: int
    id: UUID
    service: str
    name: str
    host: str
    encrypted_url: str = field(repr=False)
    created_at: datetime
    blocked_until: datetime | None
    failures: int
    failing_since: datetime | None
    last_error: str | None
    last_success_at: datetime | None
    disabled_at: datetime | None
    disabled_because: str | None


_COLUMNS = ", ".join(Destination.__dataclass_fields__)


def add(
    organization_id: int,
    service: str,
    name: str,
    url: str,
    *,
    secret_keys: Sequence[str],
    at: datetime,
) -> UUID:
    """Add a destination and return its id.

    Raises:
        DestinationExists: another one of the service has the name.
    """
    id_ = uuid7()
    insert = DestinationRow.insert(
        organization=organization_id,
        id=id_,
        service=service,
        name=name,
        host=urlsplit(url).netloc,
        encrypted_url=encrypt(url, secret_keys),
        created_at=at,
    )
    try:
        with database.atomic():
            insert.execute()
    except IntegrityError:
        raise DestinationExists(name) from None
    return id_


def list_for_organization(organization_id: int) -> list[Destination]:
    """Return the destinations of an organization, by service and name."""
    return _read("order by service, lower(name), name", organization_id)


def find(organization_id: int, service: str, name: str) -> Destination | None:
    """Return the destination of a service with a name."""
    found = _read("and service = %(service)s and name = %(name)s", organization_id,
                  service=service, name=name)  # fmt: skip
    return found[0] if found else None


def find_by_url(
    organization_id: int, service: str, url: str, *, secret_keys: Sequence[str]
) -> Destination | None:
    """Return the destination of a service with a URL; those that no key decrypts are left out."""
    host = urlsplit(url).netloc
    for destination in _read("and service = %(service)s and host = %(host)s order by created_at",
                             organization_id, service=service, host=host):  # fmt: skip
        try:
            if decrypt(destination.encrypted_url, secret_keys) == url:
                return destination
        except SecretUnreadable:
            continue
    return None


def lock(organization_id: int, destination_id: UUID) -> Destination | None:
    """Lock and return a destination."""
    found = _read("and id = %(id)s for no key update", organization_id, id=destination_id)
    return found[0] if found else None


def lock_named(organization_id: int, service: str, name: str) -> Destination | None:
    """Lock and return the destination of a service with a name."""
    found = _read("and service = %(service)s and name = %(name)s for no key update",
                  organization_id, service=service, name=name)  # fmt: skip
    return found[0] if found else None


def lock_all(organization_id: int) -> list[Destination]:
    """Lock and return the destinations of an organization."""
    return _read("order by id for no key update", organization_id)


def set_url(destination: Destination, encrypted_url: str, host: str) -> None:
    """Replace the URL of a locked destination."""
    _update(destination, encrypted_url=encrypted_url, host=host)


def block(destination: Destination, until: datetime) -> None:
    """Send nothing to a locked destination before an instant."""
    _update(destination, blocked_until=until)


def save_success(destination: Destination, at: datetime, *, blocked_until: datetime) -> None:
    """Record that a message to a locked destination was accepted."""
    _update(
        destination,
        failures=0,
        failing_since=None,
        last_error=None,
        last_success_at=at,
        blocked_until=blocked_until,
    )


def save_failure(
    destination: Destination, error: str, at: datetime, *, blocked_until: datetime | None
) -> None:
    """Record that a message to a locked destination was not accepted."""
    _update(
        destination,
        failures=destination.failures + 1,
        failing_since=destination.failing_since or at,
        last_error=error,
        blocked_until=blocked_until,
    )


def disable(destination: Destination, reason: str, at: datetime) -> None:
    """Send nothing to a locked destination until it is enabled."""
    _update(destination, disabled_at=at, disabled_because=reason)


def enable(destination: Destination) -> None:
    """Let a locked destination be sent to, as if it had never failed."""
    _update(
        destination,
        disabled_at=None,
        disabled_because=None,
        blocked_until=None,
        failures=0,
        failing_since=None,
        last_error=None,
    )


def remove(destination: Destination) -> None:
    """Delete a locked destination, and with it its URL."""
    DestinationRow.delete().where(*_one(destination)).execute()


def _update(destination: Destination, **values: Any) -> None:
    DestinationRow.update(values).where(*_one(destination)).execute()


def _one(destination: Destination) -> tuple[Any, Any]:
    return (
        DestinationRow.organization == destination.organization_id,
        DestinationRow.id == destination.id,
    )


def _read(rest: str, organization_id: int, **parameters: Any) -> list[Destination]:
    rows = query(
        f"select {_COLUMNS} from notification_destinations"
        f" where organization_id = %(organization_id)s {rest}",
        {"organization_id": organization_id, **parameters},
    )
    return [Destination(**row) for row in rows]
