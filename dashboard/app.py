"""The composition of the dashboard's WSGI application."""

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
from dashboard.access.open_id import register_provider
from dashboard.access.permissions import require_declared_access
from dashboard.access.session_cookies import SchemeAwareCookies
from dashboard.access.visitors import load_visitors, reader_zone, visitor
from dashboard.api.app import PREFIX, create_api
from dashboard.pages import (
    company,
    developers,
    events,
    imports,
    insights,
    live,
    mentions,
    outcomes,
    refused,
    rules,
    saved_views,
    search,
    set_aside,
    today,
    trace,
    upcoming,
    users,
    worklist,
)
from dashboard.pages.companies import page as companies
from dashboard.pages.settings import (
    account,
    audit_log,
    destination,
    notifications,
    owners,
    people,
)
from dashboard.pages.sign_in import open_id, start
from dashboard.pages.sign_in import page as sign_in
from dashboard.pages.today import changes, portfolio
from dashboard.presentation import navigation, wording
from dashboard.presentation.cell_titles import titled
from dashboard.presentation.commands import command
from dashboard.presentation.inline_code import with_code
from dashboard.presentation.note_text import note_text
from dashboard.web import addresses
from dashboard.web.context import EXTENSION, AppContext, event_alike, now
from dashboard.web.errors import register_error_pages
from dashboard.web.headers import ONE_YEAR, send_security_headers
from dashboard.web.list_address import keep_the_way_back, list_address
from dashboard.web.probes import register_probes
from dashboard.web.request_values import reject_unusable_requests
from dashboard.web.static_files import version_static_files

PAGES: tuple[Blueprint, ...] = tuple(
    module.blueprint
    for module in (
        start,
        today,
        upcoming,
        changes,
        portfolio,
        companies,
        company,
        saved_views,
        worklist,
        mentions,
        imports,
        rules,
        events,
        live,
        refused,
        set_aside,
        trace,
        search,
        users,
        insights,
        outcomes,
        developers,
        account,
        audit_log,
        notifications,
        destination,
        people,
        owners,
        sign_in,
    )
)

MAX_BODY_BYTES = 2 * 1024 * 1024
"""A rule file is the largest form that is sent, apart from the files of imports."""


def create_app(context: AppContext, pages: Sequence[Blueprint] = PAGES) -> Flask:
    """Return the WSGI application.

    Raises:
        RuntimeError: a page does not declare who may open it.
    """
    settings = context.settings
    app = Flask("dashboard")
    signing, *former = _cookie_keys(settings.secret_keys)
    app.config.update(
        SECRET_KEY=signing,
        SECRET_KEY_FALLBACKS=former,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_SECRET_KEY=[*reversed(former), signing],  # the last one signs
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        SEND_FILE_MAX_AGE_DEFAULT=ONE_YEAR,
        WTF_CSRF_TIME_LIMIT=None,  # valid as long as the session that the token is bound to
    )
    app.session_interface = SchemeAwareCookies()
    app.extensions[EXTENSION] = context
    addresses.configure_addresses(app)
    keep_the_way_back(app)
    reject_unusable_requests(app)
    CSRFProtect(app)
    load_visitors(app)
    send_security_headers(app)
    register_error_pages(app)
    version_static_files(app)
    register_probes(app)
    _configure_templates(app)
    for blueprint in pages:
        app.register_blueprint(blueprint)
    if settings.open_id:
        register_provider(app, settings.open_id)
        app.register_blueprint(open_id.blueprint)
    require_declared_access(app)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {PREFIX: create_api(context)})  # type: ignore[method-assign]
    _trust_proxies(app, settings)
    return app


def _trust_proxies(app: Flask, settings: Settings) -> None:
    """Take the client's address, and the scheme and host that the browser used, from proxies."""
    proxies = settings.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )
    if settings.dashboard_url and settings.dashboard_url.startswith("https://"):
        serve = app.wsgi_app

        def as_https(environ: Any, start_response: Any) -> Any:
            return serve({**environ, "wsgi.url_scheme": "https"}, start_response)

        # Not every proxy forwards the scheme, and cookies depend on it.
        app.wsgi_app = as_https  # type: ignore[method-assign]


def _configure_templates(app: Flask) -> None:
    """Register the filters and variables that all templates use."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        machine_time=wording.machine_time,
        exact_time=lambda at: wording.exact_time(at, reader_zone()),
        full_time=lambda at: wording.full_time(at, reader_zone()),
        short_time=lambda at: wording.short_time(at, reader_zone()),
        relative_time=lambda at: wording.relative_time(at, now()),
        day_and_time=lambda at: wording.day_and_time(at, now(), reader_zone()),
        moment=lambda at: wording.moment(at, now(), reader_zone()),
        recent_day=lambda at: wording.recent_day(at, now(), reader_zone()),
        visible_or=wording.visible_or,
        breakable=wording.breakable,
        owner_names=wording.owner_names,
        note_text=note_text,
        with_code=with_code,
        unread_count=wording.unread_count,
        titled=titled,
        time_of_today=lambda at: wording.time_of_today(at, now(), reader_zone()),
        with_local_times=lambda text: wording.with_local_times(text, reader_zone()),
        plain_day=wording.plain_day,
        relative_day=lambda day: wording.relative_day(day, now(), reader_zone()),
        duration=wording.approximate_duration,
        grouped=wording.grouped,
        amount=wording.amount,
        browser=wording.browser_name,
    )

    @app.context_processor
    def shared_variables() -> dict[str, Any]:
        return {
            "visitor": visitor(),
            "member": g.get("member"),
            "time_zone": reader_zone().key,
            "main_links": navigation.main_links,
            "keys_to_pages": navigation.keys_to_pages,
            "settings_links": navigation.settings_links,
            "event_links": navigation.event_links,
            "insight_links": navigation.insight_links,
            "today_links": navigation.today_links,
            "mentions_link": navigation.mentions_link,
            "tone_of": wording.tone_of,
            "delivery_tones": wording.DELIVERY_TONES,
            "company_address": addresses.company_address,
            "list_address": list_address,
            "event_alike": lambda name: event_alike(g.member.organization, name),
            "command": lambda text: command(text, g.member.organization.name),
        }


def _cookie_keys(secret_keys: Sequence[str]) -> list[bytes]:
    """Derive the keys that sign cookies from those that encrypt secrets."""
    return [
        hmac.digest(key.encode(), b"brazebee dashboard cookies", hashlib.sha256)
        for key in secret_keys
    ]
