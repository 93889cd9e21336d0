"""API keys: only a digest is stored, so a key is shown once and never again."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from peewee import fn

from models.across_organizations import find_api_key
from models.database import execute, query
from models.keys.tables import ApiKeyRow
from models.table import fetch

PREFIX = "bzb_"
RANDOM_BYTES = 24
"""192 bits: 32 characters of base64."""


@dataclass(frozen=True)
class ApiKey:
    """A key as it is stored, without its secret part."""

    id: int
    name: str
    last_four: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class KeyHolder:
    """The organization that a valid key belongs to."""

    key_id: int
    organization_id: int
    rate_limit: str | None


def create(organization_id: int, name: str) -> str:
    """Create a key and return it; it cannot be read again."""
    key = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    ApiKeyRow.insert(
        organization=organization_id, name=name, sha256=digest(key), last_four=key[-4:]
    ).execute()
    return key


def list_for_organization(organization_id: int) -> list[ApiKey]:
    """Return all keys of an organization, including revoked ones, oldest first."""
    columns = [getattr(ApiKeyRow, name) for name in ApiKey.__dataclass_fields__]
    rows = ApiKeyRow.select(*columns).where(ApiKeyRow.organization == organization_id)
    return [ApiKey(**row) for row in fetch(rows.order_by(ApiKeyRow.id))]


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
    organization_id, key_id = found
    rows = query(
        "select rate_limit from organizations where id = %(organization_id)s",
        {"organization_id": organization_id},
    )
    return KeyHolder(key_id, organization_id, rows[0]["rate_limit"]) if rows else None


def touch(organization_id: int, key_id: int) -> None:
    """Record that a key was used, at most once a minute."""
    execute(
        "update api_keys set last_used_at = now()"
        " where organization_id = %(organization_id)s and id = %(key_id)s"
        " and (last_used_at is null or last_used_at < now() - interval '1 minute')",
        {"organization_id": organization_id, "key_id": key_id},
    )


def digest(key: str) -> bytes:
    """Return the SHA-256 of a key. Keys are long and random, so they need no salt or stretching."""
    return hashlib.sha256(key.encode()).digest()
