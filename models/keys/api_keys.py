"""API keys: only a digest is stored, so a key is shown once and never again."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from models.across_organizations import find_api_key
from models.database import execute, query
from models.keys.scopes import DEFAULT_SCOPES, Scope, in_order
from models.keys.tables import ApiKeyRow
from models.table import fetch

PREFIX = "bzb_"
RANDOM_BYTES = 24
"""192 bits: 32 characters of base64."""


@dataclass(frozen=True)
class ApiKey:
    """A key as it is stored, without its secret part.

    `scopes_chosen` is false if it is from before there were scopes and nobody has chosen its own.
    """

    id: int
    name: str
    last_four: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    scopes: tuple[Scope, ...]
    scopes_chosen: bool

    @property
    def masked(self) -> str:
        """The key as it may be shown and recorded: `bzb_...1a2b`."""
        return mask(self.last_four)


@dataclass(frozen=True)
class KeyHolder:
    """The organization that a valid key belongs to, and what the key may do."""

    key_id: int
    organization_id: int
    rate_limit: str | None
    scopes: tuple[Scope, ...]


def create(organization_id: int, name: str, scopes: Collection[Scope] = DEFAULT_SCOPES) -> str:
    """Create a key with at least one scope and return it; it cannot be read again."""
    key = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    ApiKeyRow.insert(
        organization=organization_id,
        name=name,
        sha256=digest(key),
        last_four=key[-4:],
        scopes=list(in_order(scopes)),
        scopes_chosen=True,
    ).execute()
    return key


def list_for_organization(organization_id: int) -> list[ApiKey]:
    """Return all keys of an organization, including revoked ones, oldest first."""
    return [_api_key(row) for row in fetch(_select(organization_id).order_by(ApiKeyRow.id))]


def lock(organization_id: int, key_id: int) -> ApiKey | None:
    """Lock and read a key; None if there is no such valid key."""
    rows = _select(organization_id).where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_null())
    found = fetch(rows.for_update())
    return _api_key(found[0]) if found else None


def set_scopes(organization_id: int, key_id: int, scopes: Collection[Scope]) -> None:
    """Store the scopes that somebody chose for a key, at least one."""
    ApiKeyRow.update(scopes=list(in_order(scopes)), scopes_chosen=True).where(
        ApiKeyRow.organization == organization_id, ApiKeyRow.id == key_id
    ).execute()


def revoke(organization_id: int, key_id: int) -> bool:
    """Revoke a key; False if there is no such valid key."""
    revoked: int = (
        ApiKeyRow.update(revoked_at=fn.now())
        .where(
            ApiKeyRow.organization == organization_id,
            ApiKeyRow.id == key_id,
            ApiKeyRow.revoked_at.is_null(),
        )
        .execute()
    )
    return bool(revoked)


def find_holder(sha256: bytes) -> KeyHolder | None:
    """Return the holder of the key with this digest, if the key is valid."""
    found = find_api_key(sha256)
    if found is None:
        return None
    rows = query(
        "select rate_limit from organizations where id = %(organization_id)s",
        {"organization_id": found.organization_id},
    )
    if not rows:
        return None
    scopes = in_order(found.scopes)
    return KeyHolder(found.key_id, found.organization_id, rows[0]["rate_limit"], scopes)


def touch(organization_id: int, key_id: int) -> None:
    """Record that a key was used, at most once a minute."""
    execute(
        "update api_keys set last_used_at = now()"
        " where organization_id = %(organization_id)s and id = %(key_id)s"
        " and (last_used_at is null or last_used_at < now() - interval '1 minute')",
        {"organization_id": organization_id, "key_id": key_id},
    )


def mask(last_four: str) -> str:
    """Return a key as it may be shown and recorded, from its last four characters."""
    return f"{PREFIX}...{last_four}"


def digest(key: str) -> bytes:
    """Return the SHA-256 of a key. Keys are long and random, so they need no salt or stretching."""
    return hashlib.sha256(key.encode()).digest()


def _select(organization_id: int) -> Any:
    columns = [getattr(ApiKeyRow, name) for name in ApiKey.__dataclass_fields__]
    return ApiKeyRow.select(*columns).where(ApiKeyRow.organization == organization_id)


def _api_key(row: dict[str, Any]) -> ApiKey:
    return ApiKey(**{**row, "scopes": in_order(row["scopes"])})
