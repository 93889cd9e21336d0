"""Changes of API keys, each with its entry in the audit log, in one transaction."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from models.keys import api_keys
from models.keys.api_keys import ApiKey
from models.keys.scopes import Scope, in_order
from models.organizations import audit_log
from services.accounts.audit import Maker, change_by
from services.errors import ServiceError


class NoSuchKey(ServiceError):
    """Raised when an organization has no valid key with an id."""


def create(
    organization_id: int, name: str, scopes: Collection[Scope], *, maker: Maker, at: datetime
) -> str:
    """Create a key with at least one scope and return it; it cannot be read again."""
    key = api_keys.create(organization_id, name, scopes)
    detail = {"key": api_keys.mask(key[-4:]), "scopes": _listed(scopes)}
    audit_log.add(organization_id, change_by(maker, at, "API key created", name, detail))
    return key


def set_scopes(
    organization_id: int, key_id: int, scopes: Collection[Scope], *, maker: Maker, at: datetime
) -> ApiKey:
    """Choose the scopes of a key, at least one, and return the key as it was before.

    Raises:
        NoSuchKey: there is no such valid key.
    """
    key = lock(organization_id, key_id)
    api_keys.set_scopes(organization_id, key_id, scopes)
    detail = {"was": _listed(key.scopes), "scopes": _listed(scopes)}
    _log(organization_id, key, "API key scopes changed", maker, at, **detail)
    return key


def revoke(organization_id: int, key_id: int, *, maker: Maker, at: datetime) -> ApiKey:
    """Revoke a key and return it.

    Raises:
        NoSuchKey: there is no such valid key.
    """
    key = lock(organization_id, key_id)
    api_keys.revoke(organization_id, key_id)
    _log(organization_id, key, "API key revoked", maker, at)
    return key


def lock(organization_id: int, key_id: int) -> ApiKey:
    """Lock and read a valid key.

    Raises:
        NoSuchKey: there is no such valid key.
    """
    key = api_keys.lock(organization_id, key_id)
    if key is None:
        raise NoSuchKey(str(key_id))
    return key


def _log(
    organization_id: int, key: ApiKey, action: str, maker: Maker, at: datetime, **detail: Any
) -> None:
    detail = {"key": key.masked, **detail}
    audit_log.add(organization_id, change_by(maker, at, action, key.name, detail))


def _listed(scopes: Collection[Scope]) -> str:
    return ", ".join(in_order(scopes))
