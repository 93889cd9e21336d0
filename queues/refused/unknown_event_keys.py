"""Event keys that clients send and nobody has configured.

`queues.refused.requests.RefusedRequests.note` records them when they are refused.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis

MAX_KEYS = 200
"""The most keys recorded for an organization: a client may send ids as keys by mistake."""

KEPT_FOR = timedelta(days=30)
"""How long a key is kept after it was last refused."""


@dataclass(frozen=True)
class UnknownKey:
    """A refused key with the number of refusals, the first and the last; to the millisecond."""

    event_key: str
    times: int
    first_at: datetime
    last_at: datetime


class UnknownKeys:
    """One hash for each organization beside the queue; Dramatiq's maintenance ignores them."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def of_organization(self, organization_id: int, now: datetime) -> list[UnknownKey]:
        """Return the keys that were refused in the last 30 days, the latest first.

        Raises:
            RedisError: Redis does not answer.
        """
        keys = []
        fields: dict[Any, Any] = self._client.hgetall(hash_of(organization_id))
        for key, value in fields.items():
            times, first, last = (int(part) for part in value.split())
            keys.append(UnknownKey(key.decode(), times, _instant(first), _instant(last)))
        kept = [key for key in keys if now - key.last_at < KEPT_FOR]
        return sorted(kept, key=lambda key: (key.last_at, key.event_key), reverse=True)

    def forget(self, organization_id: int, event_key: str) -> None:
        """Forget a key that is now configured.

        Raises:
            RedisError: Redis does not answer.
        """
        self._client.hdel(hash_of(organization_id), event_key)

    def forget_organization(self, organization_id: int) -> None:
        """Forget all keys of a deleted organization.

        Raises:
            RedisError: Redis does not answer.
        """
        self._client.delete(hash_of(organization_id))


def hash_of(organization_id: int) -> str:
    """Return the key of an organization's hash, from event key to times, first and last."""
    return f"brazebee:unknown:{organization_id}"


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
