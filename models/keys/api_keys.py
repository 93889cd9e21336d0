"""API keys: only a digest is stored, so a key is shown once and never again."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from models.database import execute, query

PREFIX = "bzb_"
RANDOM_BYTES = 24
"""192 bits: 32 characters of base64."""


@dataclass(frozen=True)
class ApiKey:
    """What is known of a key after it was shown."""

    id: int
    name: str
    last_four: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class KeyHolder:
    """Whom a valid key speaks for."""

    key_id: int
    organization_id: int
    rate_limit: str | None


def create(organization_id: int, name: str) -> str:
    """Make a key; the key itself, which cannot be had again."""
    key = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    execute(
        "insert into api_keys (organization_id, name, sha256, last_four)"
        " values (%(organization_id)s, %(name)s, %(sha256)s, %(last_four)s)",
        {
            "organization_id": organization_id,
            "name": name,
            "sha256": digest(key),
            "last_four": key[-4:],
        },
    )
    return key


def list_for_organization(organization_id: int) -> list[ApiKey]:
    """All keys of an organization, revoked ones included, oldest first."""
    rows = query(
        "select id, name, last_four, created_at, last_used_at, revoked_at from api_keys"
        " where organization_id = %(organization_id)s order by id",
        {"organization_id": organization_id},
    )
    return [ApiKey(**row) for row in rows]


def revoke(organization_id: int, key_id: int) -> bool:
    """Revoke a key; False if there is no such valid key."""
    return bool(
        execute(
            "update api_keys set revoked_at = now() where organization_id = %(organization_id)s"
            " and id = %(key_id)s and revoked_at is null",
            {"organization_id": organization_id, "key_id": key_id},
        )
    )


def find_holder(sha256: bytes) -> KeyHolder | None:
    """Whom the key with this digest speaks for, if it is valid."""
    rows = query(
        "select k.id as key_id, k.organization_id, o.rate_limit from api_keys k"
        " join organizations o on o.id = k.organization_id"
        " where k.sha256 = %(sha256)s and k.revoked_at is null",
        {"sha256": sha256},
    )
    return KeyHolder(**rows[0]) if rows else None


def touch(key_id: int) -> None:
    """Note that a key was used, at most once a minute."""
    execute(
        "update api_keys set last_used_at = now() where id = %(key_id)s"
        " and (last_used_at is null or last_used_at < now() - interval '1 minute')",
        {"key_id": key_id},
    )


def digest(key: str) -> bytes:
    """The SHA-256 of a key. Keys are random and long, so no salt or stretching is needed."""
    return hashlib.sha256(key.encode()).digest()
