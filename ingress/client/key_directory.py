"""API keys and event settings, cached for a few seconds.

While PostgreSQL is unavailable, cached entries are used however old they are.
"""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache

from config.safe_logs import describe
from ingress.errors import IngressError
from models.database import UNAVAILABLE, transaction
from models.keys import api_keys, event_keys
from models.keys.api_keys import KeyHolder
from models.keys.event_keys import NO_KEYS, EventKeys

logger = logging.getLogger("brazebee.ingress")

FRESH_SECONDS = 5.0
"""The maximum age of an entry while PostgreSQL is available: a revoked key works this long."""

RECHECK_SECONDS = 1.0
"""An unknown event key is read again after this time: it may just have been added."""

OUTAGE_PAUSE_SECONDS = 1.0
"""After PostgreSQL failed to answer, requests do not wait for it again for this time."""

MAX_KEYS = 10_000
MAX_ORGANIZATIONS = 10_000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class DirectoryUnavailable(IngressError):
    """Raised when PostgreSQL is unavailable and the answer is not cached."""


class Directory:
    """Cached reads for the ingress. Only valid keys are cached, so invalid ones use no memory."""

    def __init__(self) -> None:
        outage = _Outage()
        self._holders: _Cache[bytes, KeyHolder] = _Cache(MAX_KEYS, outage)
        self._events: _Cache[int, EventKeys] = _Cache(MAX_ORGANIZATIONS, outage)

    def holder(self, key: str) -> KeyHolder | None:
        """Return the organization of an API key; None if the key is not valid.

        Raises:
            DirectoryUnavailable: it cannot be read now.
        """
        sha256 = api_keys.digest(key)
        return self._holders.get(sha256, lambda: api_keys.find_holder(sha256), FRESH_SECONDS)

    def known_holder(self, key: str) -> KeyHolder | None:
        """Return the holder of a key if it can be used without reading PostgreSQL."""
        return self._holders.known(api_keys.digest(key), FRESH_SECONDS)

    def is_known_key(self, organization_id: int, event_key: str) -> bool:
        """Whether it is known, without reading PostgreSQL, that an event key is enabled."""
        known = self._events.known(organization_id, FRESH_SECONDS)
        return known is not None and known.enabled.get(event_key, False)

    def known_event(self, organization_id: int, name: str) -> tuple[str, bool] | None:
        """Return what `find_event` returns if that is known without reading PostgreSQL."""
        return _find(self._events.known(organization_id, FRESH_SECONDS) or NO_KEYS, name)

    def find_event(self, organization_id: int, name: str) -> tuple[str, bool] | None:
        """Return the key of an event by its key or another name, and whether it is enabled.

        None if it is not configured.

        Raises:
            DirectoryUnavailable: it cannot be read now.
        """

        def fetch() -> EventKeys:
            return event_keys.read_settings(organization_id)

        found = _find(self._events.get(organization_id, fetch, FRESH_SECONDS), name)
        return found or _find(self._events.get(organization_id, fetch, RECHECK_SECONDS), name)


def _find(settings: EventKeys | None, name: str) -> tuple[str, bool] | None:
    settings = settings or NO_KEYS
    key = settings.key_of(name)
    return None if key is None else (key, settings.enabled[key])


@dataclass(frozen=True)
class _Entry(Generic[V]):
    value: V
    fetched_at: float


@dataclass
class _Outage:
    """The time until which PostgreSQL is assumed to be unavailable; 0 if it is available."""

    until: float = 0.0

    def begin(self, error: Exception) -> None:
        if not self.until:
            logger.warning("only API keys seen before are accepted: %s", describe(error))
        self.until = time.monotonic() + OUTAGE_PAUSE_SECONDS

    def end(self) -> None:
        if self.until:
            logger.warning("API keys can be checked again")
        self.until = 0.0


class _Cache(Generic[K, V]):
    """Values by key; a stale one is fetched again, or kept if that fails."""

    def __init__(self, size: int, outage: _Outage) -> None:
        self._entries: LRUCache[K, _Entry[V]] = LRUCache(size)
        self._lock = threading.Lock()
        self._outage = outage

    def known(self, key: K, fresh_seconds: float) -> V | None:
        """Return the value of an entry that need not be fetched; None if there is none."""
        now = time.monotonic()
        with self._lock:
            entry = self._entries.get(key)
        if entry is not None and (
            now - entry.fetched_at < fresh_seconds or now < self._outage.until
        ):
            return entry.value
        return None

    def get(self, key: K, fetch: Callable[[], V | None], fresh_seconds: float) -> V | None:
        """Return the value of an entry, fetched if it is not known.

        Raises:
            DirectoryUnavailable: PostgreSQL does not answer, and there is no older value.
        """
        known = self.known(key, fresh_seconds)
        if known is not None:
            return known
        now = time.monotonic()
        with self._lock:
            entry = self._entries.get(key)
        if now < self._outage.until:
            raise DirectoryUnavailable
        if self._outage.until:
            self._outage.until = (
                now + OUTAGE_PAUSE_SECONDS
            )  # one request tries, the others do not wait
        try:
            with transaction():
                value = fetch()
            self._outage.end()
        except UNAVAILABLE as error:
            self._outage.begin(error)
            if entry is None:
                raise DirectoryUnavailable from error
            return entry.value
        with self._lock:
            if value is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = _Entry(value, now)
        return value
