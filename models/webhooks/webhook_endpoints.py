"""Webhook endpoints: subscribed URLs, their subscriptions and the state of their circuits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from peewee import fn
from uuid_utils.compat import uuid7

from models.database import execute, query
from models.encrypted_secrets import encrypt, find_key, generate_secret
from models.webhooks.tables import WebhookEndpointRow


@dataclass(frozen=True)
class Subscription:
    """The transitions that an endpoint receives; None is no restriction.

    `statuses` selects only changes of a company's status to one of them. `companies` are the
    clients' own ids. `company_fields` maps a field to its accepted values.
    """

    event_types: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    companies: tuple[str, ...] | None = None
    company_fields: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True)
class Endpoint:
    """A subscribed URL and the state of its circuit; see `services.webhooks.circuit`."""

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
    refusals: int
    last_success_at: datetime | None

    @property
    def host(self) -> str:
        """The host, which is all that a log may contain: the rest of a URL is often a secret."""
        return urlsplit(self.url).netloc


_COLUMNS = (
    "e.id, e.organization_id, e.url, e.created_at, e.event_types, e.statuses, e.companies,"
    " e.company_fields, e.encrypted_secret, e.disabled_at, e.disabled_because, e.failures,"
    " e.failing_since, e.warned_at, e.probe_at, e.probe_pause, e.refusals, e.last_success_at,"
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
    """Subscribe a URL; return the endpoint's id and its secret, which cannot be read again.

    `created_at` defaults to now.
    """
    endpoint_id, secret, subscription = uuid7(), generate_secret(), subscription or Subscription()
    values: dict[str, Any] = {
        "id": endpoint_id,
        "organization": organization_id,
        "url": url,
        "encrypted_secret": encrypt(secret, secret_keys),
        **_subscription(subscription),
    }
    if created_at is not None:
        values["created_at"] = created_at
    WebhookEndpointRow.insert(values).execute()
    return endpoint_id, secret


def subscribe(organization_id: int, endpoint_id: UUID, subscription: Subscription) -> None:
    """Change the subscription of a locked endpoint."""
    WebhookEndpointRow.update(_subscription(subscription)).where(
        *_endpoint(organization_id, endpoint_id)
    ).execute()


def rotate_secret(
    organization_id: int,
    endpoint_id: UUID,
    *,
    secret_keys: Sequence[str],
    former_until: datetime,
) -> str:
    """Give a locked endpoint a new secret and return it; the former one signs until an instant too.

    A former one that no key decrypts cannot sign, and is deleted.
    """
    chosen = _endpoint(organization_id, endpoint_id)
    former = WebhookEndpointRow.select(WebhookEndpointRow.encrypted_secret).where(*chosen).scalar()
    readable = find_key(former, secret_keys) is not None
    secret = generate_secret()
    WebhookEndpointRow.update(
        former_encrypted_secret=former if readable else None,
        former_secret_until=former_until if readable else None,
        encrypted_secret=encrypt(secret, secret_keys),
    ).where(*chosen).execute()
    return secret


def list_for_organization(organization_id: int) -> list[Endpoint]:
    """Return the endpoints of an organization, oldest first."""
    return _endpoints(
        "where e.organization_id = %(organization_id)s and e.removed_at is null"
        " order by e.created_at",
        {"organization_id": organization_id},
    )


def lock_subscribed(organization_id: int) -> list[Endpoint]:
    """Return the endpoints, locked so that removing or enabling one waits for new deliveries."""
    return _endpoints(
        "where e.organization_id = %(organization_id)s and e.removed_at is null"
        " order by e.id for key share",
        {"organization_id": organization_id},
    )


def lock(organization_id: int, endpoint_id: UUID, *, wait: bool = True) -> Endpoint | None:
    """Lock and return an endpoint; None if it does not exist or was removed.

    New deliveries are not delayed. Without `wait`, also None if another transaction has the lock.
    """
    endpoints = _endpoints(
        "where e.organization_id = %(organization_id)s and e.id = %(id)s"
        f" and e.removed_at is null for no key update{'' if wait else ' skip locked'}",
        {"organization_id": organization_id, "id": endpoint_id},
    )
    return endpoints[0] if endpoints else None


def await_new_deliveries(organization_id: int, endpoint_id: UUID) -> None:
    """Wait for the transactions that write deliveries of a locked endpoint, and delay others."""
    query(
        "select from webhook_endpoints where organization_id = %(organization_id)s"
        " and id = %(id)s for update",
        {"organization_id": organization_id, "id": endpoint_id},
    )


def save_health(endpoint: Endpoint) -> None:
    """Store the state of an endpoint's circuit."""
    execute(
        "update webhook_endpoints set failures = %(failures)s, failing_since = %(failing_since)s,"
        " warned_at = %(warned_at)s, probe_at = %(probe_at)s, probe_pause = %(probe_pause)s,"
        " refusals = %(refusals)s, last_success_at = %(last_success_at)s,"
        " disabled_at = %(disabled_at)s, disabled_because = %(disabled_because)s"
        " where organization_id = %(organization_id)s and id = %(id)s",
        {
            "organization_id": endpoint.organization_id,
            "id": endpoint.id,
            "failures": endpoint.failures,
            "failing_since": endpoint.failing_since,
            "warned_at": endpoint.warned_at,
            "probe_at": endpoint.probe_at,
            "probe_pause": endpoint.probe_pause,
            "refusals": endpoint.refusals,
            "last_success_at": endpoint.last_success_at,
            "disabled_at": endpoint.disabled_at,
            "disabled_because": endpoint.disabled_because,
        },
    )


def remove(organization_id: int, endpoint_id: UUID) -> None:
    """Remove a locked endpoint, and delete its secrets."""
    WebhookEndpointRow.update(
        removed_at=fn.now(),
        encrypted_secret="",
        former_encrypted_secret=None,
        former_secret_until=None,
    ).where(*_endpoint(organization_id, endpoint_id)).execute()


def _endpoint(organization_id: int, endpoint_id: UUID) -> tuple[Any, Any]:
    return (
        WebhookEndpointRow.organization == organization_id,
        WebhookEndpointRow.id == endpoint_id,
    )


def _endpoints(condition: str, parameters: Mapping[str, Any]) -> list[Endpoint]:
    rows = query(f"select {_COLUMNS} from webhook_endpoints e {condition}", parameters)
    endpoints = []
    for row in rows:
        stored_secrets = (row.pop("encrypted_secret"), row.pop("former"))
        lists = {name: row.pop(name) for name in ("event_types", "statuses", "companies")}
        restrictions = {
            name: None if values is None else tuple(values) for name, values in lists.items()
        }
        subscription = Subscription(**restrictions, company_fields=row.pop("company_fields"))
        encrypted = tuple(secret for secret in stored_secrets if secret)
        endpoints.append(Endpoint(subscription=subscription, encrypted_secrets=encrypted, **row))
    return endpoints


def _subscription(subscription: Subscription) -> dict[str, Any]:
    """Return the values of the columns of a subscription."""
    lists = {name: getattr(subscription, name) for name in ("event_types", "statuses", "companies")}
    fields = subscription.company_fields
    return {
        **{name: None if values is None else list(values) for name, values in lists.items()},
        "company_fields": None if fields is None else dict(fields),
    }
