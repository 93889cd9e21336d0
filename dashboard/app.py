"""Puts the dashboard together from its parts."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Flask, g
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from config.settings import Settings
from dashboard.access.browsers import recognise_visitors
from dashboard.access.members import ADMITS, visitor
from dashboard.access.open_id import use_open_id
from dashboard.api.app import PREFIX, create_api
from dashboard.pages import company, developers, events, insights, today
from dashboard.pages.companies import page as companies
from dashboard.pages.companies import saved_views
from dashboard.pages.rules import versions
from dashboard.pages.settings import account, audit_log, people
from dashboard.pages.sign_in import open_id, start
from dashboard.pages.sign_in import page as sign_in
from dashboard.presentation import navigation, wording
from dashboard.web import addresses
from dashboard.web.context import EXTENSION, Parts, now
from dashboard.web.errors import answer_errors_as_pages
from dashboard.web.headers import ONE_YEAR, send_security_headers
from dashboard.web.probes import add_probes
from dashboard.web.request_values import refuse_what_cannot_be_stored
from dashboard.web.static_files import versioned_static_files

PAGES: tuple[Blueprint, ...] = tuple(
    module.blueprint
    for module in (
        start,
        today,
        companies,
        company,
        saved_views,
        versions,
        events,
        insights,
        developers,
        account,
        audit_log,
        people,
        sign_in,
    )
)

LONGEST_BODY = 2 * 1024 * 1024
"""Bytes of a form: a rule file is the longest that anybody sends."""


def create_app(parts: Parts, pages: Sequence[Blueprint] = PAGES) -> Flask:
    """The WSGI application."""
    app = Flask("dashboard")
    signing, *former = _cookie_keys(parts.settings.secret_keys)
    app.config.update(
        SECRET_KEY=signing,
        SECRET_KEY_FALLBACKS=former,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=LONGEST_BODY,
        SEND_FILE_MAX_AGE_DEFAULT=ONE_YEAR,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session that the token is bound to
    )
    app.extensions[EXTENSION] = parts
    addresses.address_by_names(app)
    CSRFProtect(app)
    refuse_what_cannot_be_stored(app)
    recognise_visitors(app)
    send_security_headers(app)
    answer_errors_as_pages(app)
    versioned_static_files(app)
    add_probes(app)
    _speak(app)
    for blueprint in pages:
        app.register_blueprint(blueprint)
    if parts.settings.open_id:
        use_open_id(app, parts.settings.open_id)
        app.register_blueprint(open_id.blueprint)
    _check_every_page_says_whom_it_admits(app)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {PREFIX: create_api(parts)})  # type: ignore[method-assign]
    _see_through_proxies(app, parts.settings)
    return app


def _see_through_proxies(app: Flask, settings: Settings) -> None:
    """Let requests tell the address and the scheme that the browser used."""
    behind = settings.trusted_proxies
    if behind:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=behind, x_proto=behind, x_host=behind
        )
    if settings.dashboard_url and settings.dashboard_url.startswith("https://"):
        serve = app.wsgi_app

        def by_https(environ: Any, start_response: Any) -> Any:
            return serve({**environ, "wsgi.url_scheme": "https"}, start_response)

        # Not every proxy says which scheme it was asked by, and cookies depend on it.
        app.wsgi_app = by_https  # type: ignore[method-assign]


def _speak(app: Flask) -> None:
    """Give templates what all of them use."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        machine_time=wording.machine_time,
        exact_time=wording.exact_time,
        distance=lambda at: wording.spell_distance(at, now()),
        day_and_time=lambda at: wording.day_and_time(at, now()),
        duration=wording.spell_about,
        grouped=wording.grouped,
        browser=wording.browser_name,
    )

    @app.context_processor
    def known() -> dict[str, Any]:
        return {
            "visitor": visitor(),
            "member": g.get("member"),
            "main_links": navigation.main_links,
            "settings_links": navigation.settings_links,
            "tone_of": wording.tone_of,
            "delivery_tones": wording.DELIVERY_TONES,
            "company_address": addresses.company_address,
        }


def _cookie_keys(secret_keys: Sequence[str]) -> list[bytes]:
    """Keys of their own for signing cookies, made from those that encrypt secrets."""
    return [
        hmac.digest(key.encode(), b"brazebee dashboard cookies", hashlib.sha256)
        for key in secret_keys
    ]


def _check_every_page_says_whom_it_admits(app: Flask) -> None:
    for endpoint, view in app.view_functions.items():
        if endpoint != "static" and not hasattr(view, ADMITS):
            raise RuntimeError(f"{endpoint} does not say whom it admits; see dashboard.access")
