"""The headers of every response that report the client's rate limit."""

from collections.abc import Collection

from flask import Flask, Response, g, request
from redis.exceptions import RedisError

from ingress.client.rate_limit import RateLimiter


def send_rate_limit(app: Flask, limiter: RateLimiter, *, exempt: Collection[str]) -> None:
    """Add the rate limit's headers to every response, except those of the exempt endpoints.

    A request that was refused before its key was checked counts for its address.
    """

    @app.after_request
    def add_headers(response: Response) -> Response:
        if request.endpoint in exempt or "X-RateLimit-Limit" in response.headers:
            return response
        window = g.get("window")
        if window is None:
            try:
                window = limiter.count_address(request.remote_addr or "unknown")
            except RedisError:
                window = limiter.unknown()
        response.headers.update(window.headers())
        return response
