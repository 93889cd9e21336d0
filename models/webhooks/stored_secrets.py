"""The stored secrets of an organization, as a rotation of the key that encrypts them needs them."""

from dataclasses import dataclass
from uuid import UUID

from models.database import execute, query


@dataclass(frozen=True)
class StoredSecret:
    """A secret of an endpoint; `former` is one that another has replaced.

    Nothing is signed for an endpoint that was removed, or with a former secret whose time is over.
    """

    endpoint_id: UUID
    former: bool
    encrypted: str
    signs: bool


def lock(organization_id: int) -> None:
    """Lock the endpoints; new deliveries are not delayed."""
    query(
        "select from webhook_endpoints where organization_id = %(organization_id)s"
        " order by id for no key update",
        {"organization_id": organization_id},
    )


def read(organization_id: int) -> list[StoredSecret]:
    """Return all secrets."""
    rows = query(
        "select e.id as endpoint_id, s.* from webhook_endpoints e cross join lateral (values"
        " (false, e.encrypted_secret, e.removed_at is null),"
        " (true, e.former_encrypted_secret,"
        " e.removed_at is null and coalesce(e.former_secret_until > now(), false))"
        ") as s (former, encrypted, signs)"
        " where e.organization_id = %(organization_id)s and s.encrypted <> ''"
        " order by e.id, s.former",
        {"organization_id": organization_id},
    )
    return [StoredSecret(**row) for row in rows]


def replace(organization_id: int, secret: StoredSecret, encrypted: str) -> None:
    """Store a secret of a locked endpoint as it is encrypted now."""
    column = "former_encrypted_secret" if secret.former else "encrypted_secret"
    _update(organization_id, secret, f"{column} = %(encrypted)s", encrypted)


def delete(organization_id: int, secret: StoredSecret) -> None:
    """Delete a secret of a locked endpoint."""
    if secret.former:
        change = "former_encrypted_secret = null, former_secret_until = null"
    else:
        change = "encrypted_secret = ''"
    _update(organization_id, secret, change)


def _update(
    organization_id: int, secret: StoredSecret, change: str, encrypted: str | None = None
) -> None:
    execute(
        f"update webhook_endpoints set {change}"
        " where organization_id = %(organization_id)s and id = %(id)s",
        {"organization_id": organization_id, "id": secret.endpoint_id, "encrypted": encrypted},
    )
