"""The checks of every request: API key, rate limit, event keys and the queue."""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from ingress.client.errors import ApiError, UnknownEvent, unavailable
from ingress.client.key_directory import Directory, DirectoryUnavailable
from ingress.client.rate_limit import RateLimiter, Window
from models.keys.api_keys import KeyHolder
from queues.admissions import EVENTS, Admissions
from queues.unknown_event_keys import UnknownKeys

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger("brazebee.ingress")

QUEUE_UNAVAILABLE = "The event queue does not answer"


@dataclass(frozen=True)
class Gate:
    """The checks that need PostgreSQL or Redis. Each raises `ApiError` if a request may not pass.

    `count_events` receives the numbers of accepted and rejected events. `kind` selects the counter
    of requests; `nothing` is the part of a 503's message that states what did not happen.
    """

    directory: Directory
    limiter: RateLimiter
    admissions: Admissions
    unknown_keys: UnknownKeys
    count_events: Callable[[int, int], object] = lambda _accepted, _rejected: None
    kind: str = EVENTS
    nothing: str = "nothing was accepted"

    def authenticate(self, environ: "WSGIEnvironment") -> KeyHolder:
        """Return the holder of a request's key; without a valid one, count it for its address."""
        key = environ.get("HTTP_X_API_KEY", "").strip()
        holder = self.holder(key) if key else None
        if holder is None:
            window = self._count_address(environ.get("REMOTE_ADDR") or "unknown")
            raise ApiError(401, "Invalid API key" if key else "API key required", window=window)
        return holder

    def holder(self, key: str) -> KeyHolder | None:
        """Return the holder of a key; None if the key is not valid."""
        try:
            return self.directory.holder(key)
        except DirectoryUnavailable:
            raise unavailable("The API key cannot be checked at the moment", self.nothing) from None

    def is_configured(self, holder: KeyHolder, event_key: str) -> bool:
        """Whether `check_configured` would pass."""
        try:
            return bool(self.directory.event_enabled(holder.organization_id, event_key))
        except DirectoryUnavailable:
            return False

    def check_configured(self, holder: KeyHolder, event_key: str) -> None:
        """Check that an organization has configured and enabled an event."""
        try:
            enabled = self.directory.event_enabled(holder.organization_id, event_key)
        except DirectoryUnavailable:
            raise unavailable("The event settings cannot be read at the moment") from None
        if enabled is None:
            raise UnknownEvent(event_key)
        if not enabled:
            raise ApiError(400, f"Event setting is disabled for key: {event_key}")

    def admit(
        self, holder: KeyHolder, events: Sequence[dict[str, Any]] = (), *, rejected: int = 0
    ) -> Window:
        """Count a request for its organization and enqueue its events."""
        rate = self.limiter.rate(holder.rate_limit)
        try:
            admission = self.admissions.admit(
                holder.organization_id,
                events,
                limit=rate.amount,
                window_seconds=rate.get_expiry(),
                kind=self.kind,
            )
        except RedisError:
            outcome = "it may not have been accepted" if events else self.nothing
            raise unavailable(QUEUE_UNAVAILABLE, outcome, window=self.limiter.unknown()) from None
        window = Window(
            limit=rate.amount,
            remaining=max(0, rate.amount - admission.count),
            reset_at=math.ceil(time.time() + admission.ends_in_ms / 1000),
            exceeded=admission.count > rate.amount,
        )
        _check_limit(window)
        if events and admission.nearly_full:
            raise unavailable("The event queue is full", window=window)
        self.count_events(len(events), rejected)
        return window

    def note_unknown(
        self, holder: KeyHolder, errors: Iterable[Exception | None], now: datetime
    ) -> None:
        """Record the event keys in these errors that are not configured, if Redis is available.

        Call it after `admit`, so that the rate limit bounds what can be recorded.
        """
        unknown = Counter(e.event_key for e in errors if isinstance(e, UnknownEvent))
        try:
            self.unknown_keys.note(holder.organization_id, unknown, now)
        except RedisError as error:
            logger.warning("unknown event keys were not recorded: %s", error)

    def _count_address(self, address: str) -> Window:
        try:
            window = self.limiter.count_address(address)
        except RedisError:
            raise unavailable(
                QUEUE_UNAVAILABLE, self.nothing, window=self.limiter.unknown()
            ) from None
        _check_limit(window)
        return window


def _check_limit(window: Window) -> None:
    if window.exceeded:
        raise ApiError(
            429,
            "Rate limit exceeded",
            [{"message": f"At most {window.limit} requests in a window; see Retry-After"}],
            retry_after=window.retry_after,
            window=window,
        )
