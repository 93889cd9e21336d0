"""How often a sign-in may fail: for an address, and for an email whatever the address."""

import hashlib
import ipaddress
import math
import time
from dataclasses import dataclass

import limits
import redis
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT = 1.0
"""Seconds for each command."""

FAILURES_PER_ADDRESS = "30 per 15 minutes"
"""Many people may share the address of one office."""

FAILURES_PER_EMAIL = "10 per 15 minutes"
"""At this rate even a poor password outlives its guesser."""

IPV6_PREFIX = 64


@dataclass
class TooManyAttempts(Exception):
    """Raised instead of looking at a password; `retry_after` is in seconds."""

    retry_after: int


class Attempts:
    """Counts failures in Redis, where all processes see them."""

    def __init__(
        self,
        redis_url: str,
        *,
        per_address: str = FAILURES_PER_ADDRESS,
        per_email: str = FAILURES_PER_EMAIL,
    ) -> None:
        pool = redis.BlockingConnectionPool.from_url(
            redis_url,
            timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        self.client = redis.Redis(connection_pool=pool)
        self._limiter = FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool))
        self._per_address = limits.parse(per_address)
        self._per_email = limits.parse(per_email)

    def check(self, address: str, email: str) -> None:
        """See that this address may try, and this email be tried.

        Raises:
            TooManyAttempts: it may not, for so many seconds.
            RedisError: Redis does not answer; then nobody may.
        """
        for rate, key in self._keys(address, email):
            if not self._limiter.test(rate, *key):
                reset_at = self._limiter.get_window_stats(rate, *key).reset_time
                raise TooManyAttempts(max(1, math.ceil(reset_at - time.time())))

    def note_failure(self, address: str, email: str) -> None:
        """Count a wrong password, or an unknown email."""
        for rate, key in self._keys(address, email):
            self._limiter.hit(rate, *key)

    def forget(self, email: str) -> None:
        """Begin to count anew for an email: its owner has signed in."""
        self._limiter.clear(self._per_email, "sign-in email", _digest(email))

    def _keys(
        self, address: str, email: str
    ) -> tuple[tuple[limits.RateLimitItem, tuple[str, str]], ...]:
        return (
            (self._per_address, ("sign-in address", _neighbourhood(address))),
            (self._per_email, ("sign-in email", _digest(email))),
        )


def _neighbourhood(address: str) -> str:
    """What one client has: an IPv4 address, but of IPv6 a whole net."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return address
    return str(ipaddress.ip_network((known, IPV6_PREFIX), strict=False))


def _digest(email: str) -> str:
    """Of a bounded length, whatever somebody sends as an email."""
    return hashlib.sha256(email.strip().casefold().encode("utf-8", "replace")).hexdigest()
