"""Who holds a key and which events are configured: PostgreSQL's answers, remembered briefly.

While PostgreSQL is away, what is known goes on being used, however old.
"""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache

from models.database import UNAVAILABLE, transaction
from models.keys import api_keys, event_keys
from models.keys.api_keys import KeyHolder

FRESH_SECONDS = 5.0
"""The oldest that an answer may be while PostgreSQL is there: a revoked key is refused after it."""

LOOK_AGAIN_SECONDS = 1.0
"""An unknown event key is looked for again after this long: it may just have been added."""

AWAY_SECONDS = 1.0
"""After PostgreSQL failed to answer, requests do not wait on it again for this long."""

REMEMBERED_KEYS = 10_000
REMEMBERED_ORGANIZATIONS = 10_000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class DirectoryUnavailable(Exception):
    """Raised when PostgreSQL is away and the answer is not known from before."""


class Directory:
    """Look-ups for the ingress. Only valid keys are remembered, so unknown ones fill nothing."""

    def __init__(self) -> None:
        outage = _Outage()
        self._holders: _Memory[bytes, KeyHolder] = _Memory(REMEMBERED_KEYS, outage)
        self._events: _Memory[int, Mapping[str, bool]] = _Memory(REMEMBERED_ORGANIZATIONS, outage)

    def holder(self, key: str) -> KeyHolder | None:
        """Whom an API key speaks for; None if it is not valid.

        Raises:
            DirectoryUnavailable: it cannot be told now.
        """
        sha256 = api_keys.digest(key)
        return self._holders.get(sha256, lambda: api_keys.find_holder(sha256), FRESH_SECONDS)

    def event_enabled(self, organization_id: int, event_key: str) -> bool | None:
        """Whether an event key is enabled; None if it is not configured.

        Raises:
            DirectoryUnavailable: it cannot be told now.
        """

        def fetch() -> Mapping[str, bool]:
            return event_keys.read_enabled(organization_id)

        known = self._events.get(organization_id, fetch, FRESH_SECONDS) or {}
        if event_key not in known:
            known = self._events.get(organization_id, fetch, LOOK_AGAIN_SECONDS) or {}
        return known.get(event_key)


@dataclass(frozen=True)
class _Answer(Generic[V]):
    value: V
    fetched_at: float


@dataclass
class _Outage:
    """Until when PostgreSQL is taken to be away, told by whoever asked it last."""

    until: float = 0.0


class _Memory(Generic[K, V]):
    """Answers by question; a stale one is fetched anew, or used on if that fails."""

    def __init__(self, size: int, outage: _Outage) -> None:
        self._answers: LRUCache[K, _Answer[V]] = LRUCache(size)
        self._lock = threading.Lock()
        self._outage = outage

    def get(self, question: K, fetch: Callable[[], V | None], fresh_seconds: float) -> V | None:
        now = time.monotonic()
        with self._lock:
            known = self._answers.get(question)
        if known is not None and (
            now - known.fetched_at < fresh_seconds or now < self._outage.until
        ):
            return known.value
        if now < self._outage.until:
            raise DirectoryUnavailable
        if self._outage.until:
            self._outage.until = now + AWAY_SECONDS  # one request looks, the others need not wait
        try:
            with transaction():
                value = fetch()
            self._outage.until = 0.0
        except UNAVAILABLE as error:
            self._outage.until = time.monotonic() + AWAY_SECONDS
            if known is None:
                raise DirectoryUnavailable from error
            return known.value
        with self._lock:
            if value is None:
                self._answers.pop(question, None)
            else:
                self._answers[question] = _Answer(value, now)
        return value
