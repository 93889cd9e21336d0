"""Puts the read API together: an application of its own below `/v1`, beside the pages.

So nothing of theirs applies to it: no cookie is read or set, no session lets anybody in, and no
form's token is asked for. What lets in is an API key, as `POST /v1/track` takes it.
"""

import logging
from functools import cache
from importlib import resources
from typing import Any

import orjson
from flask import Flask, Response, g, request
from redis.exceptions import RedisError
from ruamel.yaml import YAML
from werkzeug.routing import BaseConverter

from dashboard.api.companies import list_companies, tell_health
from dashboard.api.transitions import list_transitions
from dashboard.web.context import EXTENSION, Parts
from dashboard.web.headers import send_security_headers
from ingress.client.answers import JSON
from ingress.client.directory import Directory
from ingress.client.errors import ApiError, answer_errors_as_json
from ingress.client.gate import Gate
from ingress.client.rate_limit import RateLimiter
from models.database import UNAVAILABLE, transaction
from models.keys import api_keys
from queues.admissions import READS, Admissions
from queues.unknown_event_keys import UnknownKeys
from services.rules.rule_books import RulesUnreadable

logger = logging.getLogger("brazebee.dashboard")

PREFIX = "/v1"

_OPEN = ("description",)
"""What is told without a key."""


class _IdConverter(BaseConverter):
    """A client's own id, which may hold any character, slashes too."""

    part_isolating = False
    regex = ".+?"


def create_api(parts: Parts) -> Flask:
    """The WSGI application that is mounted at `PREFIX`."""
    api = Flask("dashboard.api", static_folder=None)
    api.url_map.merge_slashes = False
    api.url_map.converters["id"] = _IdConverter
    api.extensions[EXTENSION] = parts
    send_security_headers(api)
    answer_errors_as_json(api)
    _answer_outages_as_json(api)
    _let_in_by_key(api, _gate(parts))
    api.add_url_rule(
        "/openapi.json", "description", lambda: Response(_description(), 200, content_type=JSON)
    )
    api.add_url_rule("/companies", view_func=list_companies)
    api.add_url_rule("/companies/<id:company>/health", view_func=tell_health)
    api.add_url_rule("/transitions", view_func=list_transitions)
    return api


def _gate(parts: Parts) -> Gate:
    settings = parts.settings
    return Gate(
        directory=Directory(),
        limiter=RateLimiter(settings.rate_limit_redis_url, settings.rate_limit),
        admissions=Admissions(parts.broker),
        unknown_keys=UnknownKeys(parts.broker.client),
        kind=READS,
        nothing="nothing was read",
    )


def _let_in_by_key(api: Flask, gate: Gate) -> None:
    """Ask every request for its key, count it, and tell its limit with the answer."""

    @api.before_request
    def let_in() -> None:
        if request.endpoint in _OPEN:
            return
        holder = gate.authenticate(request.environ)
        g.window = gate.admit(holder)
        g.organization_id = holder.organization_id
        with transaction():
            api_keys.touch(holder.key_id)

    @api.after_request
    def tell_limit(response: Response) -> Response:
        if request.endpoint in _OPEN or "X-RateLimit-Limit" in response.headers:
            return response
        window = g.get("window")
        if window is None:
            try:
                window = gate.limiter.count_address(request.remote_addr or "unknown")
            except RedisError:
                window = gate.limiter.unknown()
        response.headers.update(window.headers())
        return response


def _answer_outages_as_json(api: Flask) -> None:
    def unavailable(error: BaseException) -> Response:
        logger.warning("PostgreSQL does not answer: %s", error)
        what = [{"message": "The database does not answer; nothing was read, send it again"}]
        return ApiError(503, "Service temporarily unavailable", what, retry_after=1).response()

    for kind in UNAVAILABLE:
        api.register_error_handler(kind, unavailable)

    @api.errorhandler(RulesUnreadable)
    def unreadable(error: RulesUnreadable) -> Response:
        return ApiError(500, "Rules cannot be read", [{"message": str(error)}]).response()


@cache
def _description() -> bytes:
    """The description in OpenAPI, as JSON; read when somebody first asks, for it takes a while."""
    text = resources.files("dashboard.api").joinpath("openapi.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return orjson.dumps(loaded)
