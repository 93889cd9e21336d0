"""The checks of every request: API key, rate limit, event keys and the queue."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError
from werkzeug.datastructures import EnvironHeaders

from ingress.client.errors import ApiError, UnknownEvent, unavailable
from ingress.client.headers import Headers
from ingress.client.key_directory import Directory, DirectoryUnavailable
from ingress.client.rate_limit import RateLimiter, Window
from ingress.client.request_keys import ScopeMissing, key_of
from ingress.client.steps import Blocking, Steps, run
from models.keys.api_keys import KeyHolder
from models.keys.scopes import Scope
from queues.admissions import EVENTS, AdmissionRequest, Admissions, RateWindow
from queues.refused.requests import Refusal, RefusedRequests

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

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
    refused: RefusedRequests
    count_events: Callable[[int, int], object] = lambda _accepted, _rejected: None
    kind: str = EVENTS
    nothing: str = "nothing was accepted"

    def authenticate(self, environ: "WSGIEnvironment", scope: Scope | None) -> KeyHolder:
        """Return the holder of a request's key; without a valid one, count it for its address.

        If the key lacks the scope, count the request for its organization. `scope` is None if any
        key will do.
        """
        address = environ.get("REMOTE_ADDR") or "unknown"
        return run(self.authenticating(EnvironHeaders(environ), address, scope), self.admissions)

    def authenticating(
        self, headers: Headers, address: str, scope: Scope | None, key_in_body: str = ""
    ) -> Steps[KeyHolder]:
        """Do what `authenticate` does, in steps. A key in the body stands in for one in headers."""
        key = key_of(headers) or key_in_body
        try:
            holder = self.directory.known_holder(key) if key else None
            if key and holder is None:
                holder = yield Blocking(lambda: self.directory.holder(key))
        except DirectoryUnavailable:
            raise unavailable("The API key cannot be checked at the moment", self.nothing) from None
        if holder is None:
            window = yield Blocking(lambda: self._count_address(address))
            raise ApiError(401, "Invalid API key" if key else "API key required", window=window)
        if scope and scope not in holder.scopes:
            raise ScopeMissing(holder, scope, (yield from self.admitting(holder)))
        return holder

    def checking_configured(self, holder: KeyHolder, name: str) -> Steps[str]:
        """Return the key of an event that an organization has configured and enabled, in steps.

        `name` is the key itself, or a name by which other products send the event.
        """
        organization_id = holder.organization_id
        if self.directory.is_known_key(organization_id, name):
            return name
        found = self.directory.known_event(organization_id, name)
        if found is None:
            try:
                found = yield Blocking(lambda: self.directory.find_event(organization_id, name))
            except DirectoryUnavailable:
                raise unavailable("The event settings cannot be read at the moment") from None
            if found is None:
                raise UnknownEvent(name)
        event_key, enabled = found
        if not enabled:
            raise ApiError(400, f"Event setting is disabled for key: {event_key}")
        return event_key

    def admit(
        self, holder: KeyHolder, events: Sequence[dict[str, Any]] = (), *, rejected: int = 0
    ) -> Window:
        """Count a request for its organization and enqueue its events."""
        return run(self.admitting(holder, events, rejected=rejected), self.admissions)

    def admitting(
        self, holder: KeyHolder, events: Sequence[dict[str, Any]] = (), *, rejected: int = 0
    ) -> Steps[Window]:
        """Do what `admit` does, in steps."""
        rate = self.limiter.rate(holder.rate_limit)
        counted_in = RateWindow(holder.organization_id, rate.amount, rate.get_expiry(), self.kind)
        try:
            admission = yield AdmissionRequest(counted_in, events)
        except RedisError:
            outcome = "it may not have been accepted" if events else self.nothing
            raise unavailable(QUEUE_UNAVAILABLE, outcome, window=self.limiter.unknown()) from None
        window = Window(
            limit=rate.amount,
            remaining=max(0, rate.amount - admission.requests),
            reset_at=math.ceil(time.time() + admission.ends_in_ms / 1000),
            exceeded=admission.requests > rate.amount,
        )
        _check_limit(window)
        if events and admission.nearly_full:
            raise unavailable("The event queue is full", window=window)
        self.count_events(len(events), rejected)
        return window

    def note_refused(self, holder: KeyHolder, refusals: Sequence[Refusal]) -> None:
        """Keep refused requests of one holder, and count their unknown event keys; never raises.

        Call it after `admit`, so that the rate limit bounds what is kept.
        """
        if refusals:
            self.refused.note(
                holder.organization_id,
                refusals,
                refusals[0].at,
                nearly_full=self.admissions.nearly_full,
            )

    def holder_behind(self, headers: Headers, window: Window) -> KeyHolder | None:
        """Return the holder of the key of a request that was refused before its key was checked.

        None if there is none, or its address has exceeded its limit, given by `window`: nothing
        else bounds how often PostgreSQL is asked.
        """
        key = key_of(headers)
        if not key or window.exceeded:
            return None
        try:
            return self.directory.holder(key)
        except DirectoryUnavailable:
            return None

    def count_address(self, address: str) -> Window:
        """Count a request without a valid key for its address; never raises."""
        try:
            return self.limiter.count_address(address)
        except RedisError:
            return self.limiter.unknown()

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
