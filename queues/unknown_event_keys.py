"""Event keys that clients send and nobody has configured, recorded when they are refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from redis import Redis

_SCRIPT = (Path(__file__).parent / "note_unknown.lua").read_text(encoding="utf-8")

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
        self._script = client.register_script(_SCRIPT)

    def note(self, organization_id: int, refused: Mapping[str, int], now: datetime) -> None:
        """Record how often each key was refused, in one round trip.

        Raises:
            RedisError: Redis does not answer; the keys may be recorded or not.
        """
        if not refused:
            return
        pairs = [part for key, times in refused.items() for part in (key, times)]
        kept_ms = KEPT_FOR // timedelta(milliseconds=1)
        now_ms = round(now.timestamp() * 1000)
        self._script([_hash(organization_id)], [now_ms, MAX_KEYS, kept_ms, *pairs])

    def of_organization(self, organization_id: int, now: datetime) -> list[UnknownKey]:
        """Return the keys that were refused in the last 30 days, the latest first.

        Raises:
            RedisError: Redis does not answer.
        """
        keys = []
        fields: dict[Any, Any] = self._client.hgetall(_hash(organization_id))
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
        self._client.hdel(_hash(organization_id), event_key)

    def forget_organization(self, organization_id: int) -> None:
        """Forget all keys of a deleted organization.

        Raises:
            RedisError: Redis does not answer.
        """
        self._client.delete(_hash(organization_id))


def _hash(organization_id: int) -> str:
    return f"brazebee:unknown:{organization_id}"


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
