"""Assembles the Flask application of the ingress."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from ingress.batch import BATCH_PATH, Batch
from ingress.client.errors import answer_errors_as_json
from ingress.client.ids import accept_ids_in_paths
from ingress.client.limit_headers import send_rate_limit
from ingress.formats.routes import WITHOUT_LIMIT, add_formats
from ingress.metrics import Metrics
from ingress.openapi.routes import ENDPOINT as DESCRIPTION
from ingress.openapi.routes import add_description
from ingress.probes import PROBES, Check, ReadDurability, add_probes
from ingress.track import TRACK, Tracking
from ingress.updates.views import Updates, add_updates

_WITHOUT_LIMIT = (*PROBES, "metrics", DESCRIPTION)


def create_app(
    tracking: Tracking,
    *,
    redis: ReadDurability,
    postgres: Check,
    trusted_proxies: int = 0,
    metrics: Metrics | None = None,
) -> Flask:
    """Return the WSGI application; `trusted_proxies` is the number of proxies in front of it."""
    gate = tracking.gate
    app = Flask("brazebee", static_folder=None)
    accept_ids_in_paths(app)
    answer_errors_as_json(app)
    add_description(app)
    add_probes(app, redis=redis, postgres=postgres)
    if metrics:
        app.add_url_rule("/metrics", "metrics", metrics.view)
        app.wsgi_app = metrics.measured(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.add_url_rule(TRACK, view_func=tracking.track, methods=["POST"])
    app.add_url_rule(BATCH_PATH, view_func=Batch(gate, tracking.now).track_batch, methods=["POST"])
    add_updates(app, Updates(gate, tracking.now))
    add_formats(app, gate, tracking.now)
    send_rate_limit(app, gate.limiter, exempt=(*_WITHOUT_LIMIT, *WITHOUT_LIMIT))
    if trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=trusted_proxies)  # type: ignore[method-assign]
    return app
