"""Limits failed sign-ins per email and address, per address, and per email.

A low limit per email alone would let anybody lock out a person whose email they know; OWASP warns
of it (Authentication Cheat Sheet, "Account Lockout"). So failures are counted per pair of email and
address, as discussed in OWASP's "Slow Down Online Guessing Attacks with Device Cookies". Guesses
from many addresses pass that limit, and meet the higher limit per email.
"""

import hashlib
import math
import time
from dataclasses import dataclass

import limits
import redis
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from dashboard.errors import DashboardError
from ingress.client.networks import client_network
from ingress.client.rate_limit import impatient_pool

TIMEOUT = 1.0
"""Seconds for each Redis command."""

FAILURES_PER_PAIR = "10 per 15 minutes"
"""For one email from one address: more than somebody trying to remember a password needs."""

FAILURES_PER_ADDRESS = "30 per 15 minutes"
"""For one address, of any emails: a whole office may share it."""

FAILURES_PER_EMAIL = "100 per hour"
"""For one email from any addresses: the most consecutive failures that NIST SP 800-63B, section
5.2.2, allows for an account. It takes at least three addresses to reach it; at this rate, 2,400 a
day, a password of 12 characters outlives its guesser."""

_Counter = tuple[limits.RateLimitItem, tuple[str, ...]]
"""A limit, and the key of the counter that it applies to."""


@dataclass
class TooManyAttempts(DashboardError):
    """Raised before the password is checked; `retry_after` is in seconds."""

    retry_after: int


class SignInAttempts:
    """Counts failures in Redis, shared by all processes."""

    def __init__(
        self,
        redis_url: str,
        *,
        per_pair: str = FAILURES_PER_PAIR,
        per_address: str = FAILURES_PER_ADDRESS,
        per_email: str = FAILURES_PER_EMAIL,
    ) -> None:
        pool = impatient_pool(redis_url, timeout=TIMEOUT)
        self.client = redis.Redis(connection_pool=pool)
        self._limiter = FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool))
        self._per_pair = limits.parse(per_pair)
        self._per_address = limits.parse(per_address)
        self._per_email = limits.parse(per_email)

    def check(self, address: str, email: str) -> None:
        """Check that this address may try to sign in with this email.

        Raises:
            TooManyAttempts: a limit is reached.
            RedisError: Redis does not respond; then nobody may sign in.
        """
        for rate, key in self._counters(address, email):
            if not self._limiter.test(rate, *key):
                reset_at = self._limiter.get_window_stats(rate, *key).reset_time
                raise TooManyAttempts(max(1, math.ceil(reset_at - time.time())))

    def record_failure(self, address: str, email: str) -> None:
        """Count a wrong password, or an unknown email."""
        for rate, key in self._counters(address, email):
            self._limiter.hit(rate, *key)

    def reset(self, address: str, email: str) -> None:
        """Reset the counters of an email whose owner has just signed in; keep the address's."""
        per_pair, _, per_email = self._counters(address, email)
        for rate, key in (per_pair, per_email):
            self._limiter.clear(rate, *key)

    def _counters(self, address: str, email: str) -> tuple[_Counter, _Counter, _Counter]:
        """Return the counters of the pair, of the address, and of the email."""
        source, account = client_network(address), _digest(email)
        return (
            (self._per_pair, ("sign-in pair", source, account)),
            (self._per_address, ("sign-in address", source)),
            (self._per_email, ("sign-in email", account)),
        )


def _digest(email: str) -> str:
    """Return a key of bounded length for any text that is sent as an email."""
    return hashlib.sha256(email.strip().casefold().encode("utf-8", "replace")).hexdigest()
