"""Puts the ingress together from its parts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from flask import Flask, Response, g, request
from redis.exceptions import RedisError
from werkzeug.middleware.proxy_fix import ProxyFix

from ingress.batch import Batch
from ingress.client.errors import answer_errors_as_json
from ingress.client.gate import Gate
from ingress.client.rate_limit import RateLimiter
from ingress.fast_lane import FastLane
from ingress.metrics import Metrics
from ingress.probes import PROBES, Check, add_probes
from ingress.track import TRACK, Tracking

_WITHOUT_LIMIT = (*PROBES, "metrics")


def create_app(
    gate: Gate,
    *,
    now: Callable[[], datetime],
    redis: Check,
    postgres: Check,
    trusted_proxies: int = 0,
    metrics: Metrics | None = None,
) -> Flask:
    """The WSGI application. `trusted_proxies` is how many proxies set X-Forwarded-For in front."""
    app = Flask("brazebee", static_folder=None)
    app.url_map.merge_slashes = False  # a redirect would be an answer in HTML
    answer_errors_as_json(app)
    add_probes(app, redis=redis, postgres=postgres)
    if metrics:
        gate = replace(gate, count_events=metrics.events)
    app.wsgi_app = FastLane(app.wsgi_app, gate, now)  # type: ignore[method-assign]
    if metrics:
        app.add_url_rule("/metrics", "metrics", metrics.tell)
        app.wsgi_app = metrics.measured(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.add_url_rule(TRACK, view_func=Tracking(gate, now).track, methods=["POST"])
    app.add_url_rule("/v1/track/batch", view_func=Batch(gate, now).track_batch, methods=["POST"])
    _tell_rate_limit(app, gate.limiter)
    if trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=trusted_proxies)  # type: ignore[method-assign]
    return app


def _tell_rate_limit(app: Flask, limiter: RateLimiter) -> None:
    """Put the rate limit's headers on every answer but those to operations.

    A request that was refused before its key was looked at counts for its address.
    """

    @app.after_request
    def add_headers(response: Response) -> Response:
        if request.endpoint in _WITHOUT_LIMIT or "X-RateLimit-Limit" in response.headers:
            return response
        window = g.get("window")
        if window is None:
            try:
                window = limiter.count_address(request.remote_addr or "unknown")
            except RedisError:
                window = limiter.unknown()
        response.headers.update(window.headers())
        return response
