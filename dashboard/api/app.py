"""The composition of the API beside the pages: a WSGI application of its own at `/v1`.

It is called the read API, since all but entering outcomes is reading.

Nothing that is set up for the pages applies to it: it reads and sets no cookie, accepts no session,
and requires no CSRF token. Requests authenticate with an API key, like `POST /v1/track`.
"""

import logging
from functools import cache
from importlib import resources
from typing import Any

import orjson
from flask import Flask, Response
from ruamel.yaml import YAML

from config.safe_logs import describe
from dashboard.api.authentication import authenticate_requests
from dashboard.api.companies import explain_health, list_companies
from dashboard.api.outcomes import enter_outcome, list_outcomes
from dashboard.api.parameters import reject_nul_characters
from dashboard.api.transitions import list_transitions
from dashboard.api.work_items import list_work_items
from dashboard.web.context import EXTENSION, AppContext
from dashboard.web.headers import send_security_headers
from ingress.client.answers import JSON
from ingress.client.errors import ApiError, answer_errors_as_json
from ingress.client.gate import Gate
from ingress.client.ids import accept_ids_in_paths
from ingress.client.key_directory import Directory
from ingress.client.limit_headers import send_rate_limit
from ingress.client.rate_limit import RateLimiter
from models.database import UNAVAILABLE
from queues.admissions import READS, Admissions
from queues.refused.requests import RefusedRequests
from services.rules.rule_books import RulesUnreadable

logger = logging.getLogger("brazebee.dashboard")

PREFIX = "/v1"

LARGEST_BODY = 64 * 1024
"""Bytes of an outcome; a note has at most 2,000 characters."""

_PUBLIC = ("description",)
"""Endpoints that need no key."""

_SENDING = ("enter_outcome",)
"""Endpoints that need a key that may send."""


def create_api(context: AppContext) -> Flask:
    """Return the WSGI application to mount at `PREFIX`."""
    api = Flask("dashboard.api", static_folder=None)
    accept_ids_in_paths(api)
    api.extensions[EXTENSION] = context
    api.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    send_security_headers(api)
    answer_errors_as_json(api)
    _answer_outages_as_json(api)
    gate = _gate(context)
    authenticate_requests(api, gate, exempt=_PUBLIC, sending=_SENDING)
    api.before_request(reject_nul_characters)
    send_rate_limit(api, gate.limiter, exempt=_PUBLIC)
    api.add_url_rule(
        "/openapi.json", "description", lambda: Response(_description(), 200, content_type=JSON)
    )
    api.add_url_rule("/companies", view_func=list_companies)
    api.add_url_rule("/companies/<id:company>/health", view_func=explain_health)
    api.add_url_rule("/transitions", view_func=list_transitions)
    api.add_url_rule("/work-items", view_func=list_work_items)
    api.add_url_rule("/outcomes", view_func=list_outcomes)
    api.add_url_rule("/outcomes", view_func=enter_outcome, methods=["POST"])
    return api


def _gate(context: AppContext) -> Gate:
    settings = context.settings
    return Gate(
        directory=Directory(),
        limiter=RateLimiter(settings.rate_limit_redis_url, settings.rate_limit),
        admissions=Admissions(context.broker.client),
        refused=RefusedRequests(context.broker.client),
        kind=READS,
        nothing="nothing was read",
    )


def _answer_outages_as_json(api: Flask) -> None:
    def unavailable(error: BaseException) -> Response:
        logger.warning("PostgreSQL is not responding: %s", describe(error))
        details = [{"message": "The database does not answer; nothing was read, send it again"}]
        return ApiError(503, "Service temporarily unavailable", details, retry_after=1).response()

    for error_class in UNAVAILABLE:
        api.register_error_handler(error_class, unavailable)

    @api.errorhandler(RulesUnreadable)
    def unreadable(error: RulesUnreadable) -> Response:
        return ApiError(500, "Rules cannot be read", [{"message": str(error)}]).response()


@cache
def _description() -> bytes:
    """Return the OpenAPI description as JSON; parsing is slow, so only at the first request."""
    text = resources.files("dashboard.api").joinpath("openapi.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return orjson.dumps(loaded)
