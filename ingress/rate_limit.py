"""How many requests an organization, or an address without a valid key, may still make."""

import math
import time
from dataclasses import dataclass

import limits
import redis
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

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
        """Seconds until the limit resets, at least one."""
        return max(1, self.reset_at - math.floor(time.time()))

    def headers(self) -> dict[str, str]:
        """The `X-RateLimit-*` headers."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_at),
        }


class RateLimiter:
    """Counts requests in fixed windows in Redis.

    Every method raises `redis.RedisError` when Redis does not answer.
    """

    def __init__(self, redis_url: str, default: str) -> None:
        pool = redis.BlockingConnectionPool.from_url(
            redis_url,
            timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        storage = RedisStorage("redis://", connection_pool=pool)
        self._limiter = FixedWindowRateLimiter(storage)
        self._default = limits.parse(default)

    def count_organization(self, organization_id: int, rate_limit: str | None) -> Window:
        """Count one request of an organization, under its own limit or the default."""
        item = limits.parse(rate_limit) if rate_limit else self._default
        return self._count(item, "organization", str(organization_id))

    def count_address(self, address: str) -> Window:
        """Count one request without a valid key from a client's address."""
        return self._count(self._default, "address", address)

    def unknown(self) -> Window:
        """What to tell while Redis is away: nothing can be taken for a second."""
        return Window(self._default.amount, 0, math.ceil(time.time()) + 1)

    def _count(self, item: limits.RateLimitItem, *who: str) -> Window:
        taken = self._limiter.hit(item, *who)
        stats = self._limiter.get_window_stats(item, *who)
        return Window(item.amount, max(0, stats.remaining), math.ceil(stats.reset_time), not taken)
