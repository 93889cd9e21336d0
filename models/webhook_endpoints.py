"""Where webhooks go, and the secrets that sign them, encrypted."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from uuid_utils.compat import uuid7

from models.database import execute, query

SECRET_PREFIX = "whsec_"  # noqa: S105 -- no secret
SECRET_BYTES = 32
"""As Standard Webhooks recommends: between 24 and 64 bytes."""


class SecretUnreadable(Exception):
    """Raised when no configured key decrypts an endpoint's secret."""


@dataclass(frozen=True)
class Endpoint:
    """One subscribed URL."""

    id: UUID
    url: str
    created_at: datetime


def add(organization_id: int, url: str, *, secret_keys: Sequence[str]) -> tuple[UUID, str]:
    """Subscribe a URL; the endpoint's id and its secret, which cannot be had again."""
    endpoint_id = uuid7()
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    execute(
        "insert into webhook_endpoints (id, organization_id, url, encrypted_secret)"
        " values (%(id)s, %(organization_id)s, %(url)s, %(encrypted_secret)s)",
        {
            "id": endpoint_id,
            "organization_id": organization_id,
            "url": url,
            "encrypted_secret": _fernet(secret_keys).encrypt(secret.encode()).decode(),
        },
    )
    return endpoint_id, secret


def of_organization(organization_id: int) -> list[Endpoint]:
    """The subscribed endpoints, oldest first."""
    rows = query(
        "select id, url, created_at from webhook_endpoints"
        " where organization_id = %(organization_id)s and removed_at is null order by created_at",
        {"organization_id": organization_id},
    )
    return [Endpoint(**row) for row in rows]


def remove(organization_id: int, endpoint_id: UUID) -> bool:
    """End a subscription and cancel what still waits for it; False if there is none."""
    removed = execute(
        "update webhook_endpoints set removed_at = now() where id = %(id)s"
        " and organization_id = %(organization_id)s and removed_at is null",
        {"id": endpoint_id, "organization_id": organization_id},
    )
    execute(
        "update deliveries set state = 'cancelled', finished_at = now(), next_attempt_at = null"
        " where endpoint_id = %(id)s and organization_id = %(organization_id)s"
        " and state = 'waiting'",
        {"id": endpoint_id, "organization_id": organization_id},
    )
    return bool(removed)


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
