"""Where webhooks go, and the secrets that sign them, encrypted."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from uuid_utils.compat import uuid7

from models.database import execute, json, query
from models.errors import ModelError

SECRET_PREFIX = "whsec_"  # noqa: S105 -- no secret
SECRET_BYTES = 32
"""As Standard Webhooks recommends: between 24 and 64 bytes."""


class SecretUnreadable(ModelError):
    """Raised when no configured key decrypts an endpoint's secret."""


@dataclass(frozen=True)
class Subscription:
    """What an endpoint is subscribed to; None is all.

    `statuses` keeps only changes of a company's status to one of these. `companies` are the
    clients' own ids. `company_fields` maps a field to the values of which it must have one.
    """

    event_types: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    companies: tuple[str, ...] | None = None
    company_fields: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True)
class Endpoint:
    """One subscribed URL, and how it fares; see `services.webhooks.circuit`."""

    id: UUID
    organization_id: int
    url: str
    created_at: datetime
    subscription: Subscription
    encrypted_secrets: tuple[str, ...] = field(repr=False)
    disabled_at: datetime | None
    disabled_because: str | None
    failures: int
    failing_since: datetime | None
    warned_at: datetime | None
    probe_at: datetime | None
    probe_pause: timedelta | None
    last_success_at: datetime | None

    @property
    def host(self) -> str:
        """Where it is, as far as a log may tell: the rest of a URL is often a secret."""
        return urlsplit(self.url).netloc


_COLUMNS = (
    "e.id, e.organization_id, e.url, e.created_at, e.event_types, e.statuses, e.companies,"
    " e.company_fields, e.encrypted_secret, e.disabled_at, e.disabled_because, e.failures,"
    " e.failing_since, e.warned_at, e.probe_at, e.probe_pause, e.last_success_at,"
    " case when e.former_secret_until > now() then e.former_encrypted_secret end as former"
)


def add(
    organization_id: int,
    url: str,
    *,
    secret_keys: Sequence[str],
    subscription: Subscription | None = None,
    created_at: datetime | None = None,
) -> tuple[UUID, str]:
    """Subscribe a URL; the endpoint's id and its secret, which cannot be had again.

    `created_at` is now, unless given.
    """
    endpoint_id, secret, subscription = uuid7(), _new_secret(), subscription or Subscription()
    execute(
        "insert into webhook_endpoints (id, organization_id, url, encrypted_secret, event_types,"
        " statuses, companies, company_fields, created_at) values (%(id)s, %(organization_id)s,"
        " %(url)s, %(encrypted_secret)s, %(event_types)s, %(statuses)s, %(companies)s,"
        " %(company_fields)s, coalesce(%(created_at)s, now()))",
        {
            "created_at": created_at,
            "id": endpoint_id,
            "organization_id": organization_id,
            "url": url,
            "encrypted_secret": _encrypt(secret, secret_keys),
            **_subscription(subscription),
        },
    )
    return endpoint_id, secret


def subscribe(endpoint_id: UUID, subscription: Subscription) -> None:
    """Change what an endpoint, whose lock is held, is subscribed to."""
    execute(
        "update webhook_endpoints set event_types = %(event_types)s, statuses = %(statuses)s,"
        " companies = %(companies)s, company_fields = %(company_fields)s where id = %(id)s",
        {"id": endpoint_id, **_subscription(subscription)},
    )


def rotate_secret(endpoint_id: UUID, *, secret_keys: Sequence[str], former_until: datetime) -> str:
    """Give an endpoint a new secret; until then the former one signs as well."""
    secret = _new_secret()
    execute(
        "update webhook_endpoints set former_encrypted_secret = encrypted_secret,"
        " former_secret_until = %(former_until)s, encrypted_secret = %(encrypted_secret)s"
        " where id = %(id)s",
        {
            "id": endpoint_id,
            "former_until": former_until,
            "encrypted_secret": _encrypt(secret, secret_keys),
        },
    )
    return secret


def list_for_organization(organization_id: int) -> list[Endpoint]:
    """The subscribed endpoints, oldest first."""
    return _endpoints(
        "where e.organization_id = %(organization_id)s and e.removed_at is null"
        " order by e.created_at",
        {"organization_id": organization_id},
    )


def lock_subscribed(organization_id: int) -> list[Endpoint]:
    """The same, locked such that a removal or a disabling waits for what is written to them."""
    return _endpoints(
        "where e.organization_id = %(organization_id)s and e.removed_at is null"
        " order by e.id for key share",
        {"organization_id": organization_id},
    )


def lock(organization_id: int, endpoint_id: UUID) -> Endpoint | None:
    """Lock and read one endpoint; None if there is none, or it was removed."""
    found = _endpoints(
        "where e.id = %(id)s and e.organization_id = %(organization_id)s"
        " and e.removed_at is null for update",
        {"id": endpoint_id, "organization_id": organization_id},
    )
    return found[0] if found else None


def lock_of_delivery(delivery_id: UUID) -> Endpoint | None:
    """Lock and read the endpoint that a delivery goes to; None if it was removed."""
    found = _endpoints(
        "where e.id = (select endpoint_id from deliveries where id = %(id)s)"
        " and e.removed_at is null for no key update",
        {"id": delivery_id},
    )
    return found[0] if found else None


def save_health(endpoint: Endpoint) -> None:
    """Write back how an endpoint fares."""
    execute(
        "update webhook_endpoints set failures = %(failures)s, failing_since = %(failing_since)s,"
        " warned_at = %(warned_at)s, probe_at = %(probe_at)s, probe_pause = %(probe_pause)s,"
        " last_success_at = %(last_success_at)s, disabled_at = %(disabled_at)s,"
        " disabled_because = %(disabled_because)s where id = %(id)s",
        {
            "id": endpoint.id,
            "failures": endpoint.failures,
            "failing_since": endpoint.failing_since,
            "warned_at": endpoint.warned_at,
            "probe_at": endpoint.probe_at,
            "probe_pause": endpoint.probe_pause,
            "last_success_at": endpoint.last_success_at,
            "disabled_at": endpoint.disabled_at,
            "disabled_because": endpoint.disabled_because,
        },
    )


def remove(endpoint_id: UUID) -> None:
    """End a subscription, whose lock is held."""
    execute(
        "update webhook_endpoints set removed_at = now() where id = %(id)s", {"id": endpoint_id}
    )


def _endpoints(condition: str, parameters: Mapping[str, Any]) -> list[Endpoint]:
    rows = query(f"select {_COLUMNS} from webhook_endpoints e {condition}", parameters)
    endpoints = []
    for row in rows:
        secrets_held = (row.pop("encrypted_secret"), row.pop("former"))
        lists = {name: row.pop(name) for name in ("event_types", "statuses", "companies")}
        kept = {name: None if found is None else tuple(found) for name, found in lists.items()}
        subscription = Subscription(**kept, company_fields=row.pop("company_fields"))
        encrypted = tuple(secret for secret in secrets_held if secret)
        endpoints.append(Endpoint(subscription=subscription, encrypted_secrets=encrypted, **row))
    return endpoints


def _subscription(subscription: Subscription) -> dict[str, Any]:
    """The columns that say what is subscription."""
    lists = {name: getattr(subscription, name) for name in ("event_types", "statuses", "companies")}
    fields = subscription.company_fields
    return {
        **{name: None if given is None else list(given) for name, given in lists.items()},
        "company_fields": None if fields is None else json(dict(fields)),
    }


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _encrypt(secret: str, secret_keys: Sequence[str]) -> str:
    return _fernet(secret_keys).encrypt(secret.encode()).decode()


def decrypt(encrypted_secret: str, secret_keys: Sequence[str]) -> str:
    """The secret in clear.

    Raises:
        SecretUnreadable: none of the keys encrypted it.
    """
    try:
        return _fernet(secret_keys).decrypt(encrypted_secret.encode()).decode()
    except (InvalidToken, ValueError):
        raise SecretUnreadable(
            "no key in BRAZEBEE_SECRET_KEY decrypts the endpoint's secret"
        ) from None


def _fernet(secret_keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in secret_keys])
