"""How often a sign-in may fail: of an email from an address, from an address, and of an email.

A low limit for an email alone would let anybody lock out somebody whose email they know, of which
OWASP warns (Authentication Cheat Sheet, "Account Lockout"). So an email and the address that tries
it are counted together, as OWASP's "Slow Down Online Guessing Attacks with Device Cookies" weighs
it up. Guesses from many addresses, which that lets through, meet the limit of the email alone.
"""

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

FAILURES_PER_PAIR = "10 per 15 minutes"
"""Of one email from one address: more than who is looking for the right password needs."""

FAILURES_PER_ADDRESS = "30 per 15 minutes"
"""Many people may share the address of one office."""

FAILURES_PER_EMAIL = "100 per hour"
"""Wherever they come from: the most in a row that NIST SP 800-63B, section 5.2.2, lets an account
have. Nobody reaches it with fewer than three addresses; at this rate, 2,400 a day, a password of
12 characters outlives its guesser."""

IPV6_PREFIX = 64

_Count = tuple[limits.RateLimitItem, tuple[str, ...]]
"""A limit, and what names the count that it holds for."""


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
        per_pair: str = FAILURES_PER_PAIR,
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
        self._per_pair = limits.parse(per_pair)
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

    def forget(self, address: str, email: str) -> None:
        """Begin to count anew for an email, and for it from this address: its owner is there."""
        pair, _, whole = self._keys(address, email)
        for rate, key in (pair, whole):
            self._limiter.clear(rate, *key)

    def _keys(self, address: str, email: str) -> tuple[_Count, _Count, _Count]:
        """What is counted of the pair, of the address, and of the email."""
        source, account = _neighbourhood(address), _digest(email)
        return (
            (self._per_pair, ("sign-in pair", source, account)),
            (self._per_address, ("sign-in address", source)),
            (self._per_email, ("sign-in email", account)),
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
