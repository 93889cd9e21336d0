"""The rate limits of organizations and of addresses without a valid key."""

import functools
import math
import time
from dataclasses import dataclass

import limits
import redis
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from ingress.client.networks import client_network

TIMEOUT = 0.25
"""Seconds for each command."""


@dataclass(frozen=True)
class Window:
    """The state of a limit after a request; `reset_at` in Unix seconds."""

    limit: int
    remaining: int
    reset_at: int
    exceeded: bool = False

    @property
    def retry_after(self) -> int:
        """The seconds until the limit resets, at least one."""
        return max(1, self.reset_at - math.floor(time.time()))

    def headers(self) -> list[tuple[str, str]]:
        """Return the `X-RateLimit-*` headers."""
        return [
            ("X-RateLimit-Limit", str(self.limit)),
            ("X-RateLimit-Remaining", str(self.remaining)),
            ("X-RateLimit-Reset", str(self.reset_at)),
        ]


@functools.lru_cache(10_000)
def parse_rate(rate: str) -> limits.RateLimitItem:
    """Parse a rate such as `10000/hour`."""
    return limits.parse(rate)


def impatient_pool(redis_url: str, *, timeout: float) -> redis.BlockingConnectionPool:
    """Return a connection pool whose commands fail after `timeout` seconds, without a retry."""
    return redis.BlockingConnectionPool.from_url(
        redis_url,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )


class RateLimiter:
    """Determines the limit of an organization and counts requests without a valid key.

    The requests of organizations are counted when they are enqueued, see `queues.admissions`. The
    number of addresses is unlimited, so their counters are kept out of the queue's database.
    """

    def __init__(self, redis_url: str, default: str) -> None:
        self._pool = impatient_pool(redis_url, timeout=TIMEOUT)
        storage = RedisStorage("redis://", connection_pool=self._pool)
        self._limiter = FixedWindowRateLimiter(storage)
        self._default = parse_rate(default)

    def close(self) -> None:
        """Close the connections to Redis."""
        self._pool.disconnect()

    def rate(self, own: str | None) -> limits.RateLimitItem:
        """Return the limit of an organization: its own or the default."""
        return parse_rate(own) if own else self._default

    def count_address(self, address: str) -> Window:
        """Count a request without a valid key for the client's address or network.

        Raises:
            RedisError: Redis does not answer.
        """
        key = ("address", client_network(address))
        taken = self._limiter.hit(self._default, *key)
        stats = self._limiter.get_window_stats(self._default, *key)
        remaining, reset_at = max(0, stats.remaining), math.ceil(stats.reset_time)
        return Window(self._default.amount, remaining, reset_at, not taken)

    def unknown(self) -> Window:
        """Return the window to report while Redis is unavailable: nothing remains for a second."""
        return Window(self._default.amount, 0, math.ceil(time.time()) + 1)
