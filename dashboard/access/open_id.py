"""Sign-in by OpenID Connect: the authorization code flow with PKCE, and the person it yields."""

import logging
from collections.abc import Mapping
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app, session, url_for
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.wrappers import Response

from config.open_id import OpenIdSettings
from dashboard.errors import DashboardError
from dashboard.web.context import app_context, now
from models.database import transaction
from models.organizations import organizations
from models.people import people
from models.people.people import Person
from services.accounts import people as changes
from services.accounts.audit import Maker
from services.accounts.people import ChangeRefused, NewMember, read_email
from services.accounts.roles import Role

logger = logging.getLogger("brazebee.dashboard")

PROVIDER = "openid"
MAKER = Maker("OpenID Connect")

PROVIDER_TIMEOUT_SECONDS = 10

PROVIDER_FAILURES = (
    AuthlibBaseError,
    JoseError,
    RequestException,
    RuntimeError,
    ValueError,
    KeyError,
)
"""Raised by the libraries for a provider that is unreachable or answers incorrectly."""


class OpenIdSignInRefused(DashboardError):
    """Raised when a sign-in through the provider is refused; the message is for the visitor."""


def register_provider(app: Flask, settings: OpenIdSettings) -> None:
    """Register the provider; its metadata is fetched at the first sign-in."""
    OAuth(app).register(
        PROVIDER,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": PROVIDER_TIMEOUT_SECONDS,
        },
    )


def redirect_to_provider() -> Response:
    """Redirect the browser to the provider, which sends it back to `open_id.callback`.

    Raises:
        OpenIdSignInRefused: the provider does not respond.
    """
    for name in [name for name in session if name.startswith(f"_state_{PROVIDER}")]:
        session.pop(name)  # of abandoned attempts: a cookie has little room
    try:
        response: Response = _client().authorize_redirect(_return_address())
    except PROVIDER_FAILURES as error:
        _log_failure("could not be reached", error)
        raise OpenIdSignInRefused("The OpenID Connect provider is not responding.") from None
    return response


def identify_person() -> Person:
    """Return the person that the provider has authenticated.

    Raises:
        OpenIdSignInRefused: the answer is invalid, or the person may not sign in.
    """
    settings = _settings()
    required_claims = {
        "iss": {"essential": True, "values": _issuer_spellings(settings.issuer)},
        "aud": {"essential": True, "values": [settings.client_id]},
    }
    try:
        token = _client().authorize_access_token(claims_options=required_claims)
        claims = token["userinfo"]
        if "email" not in claims:
            claims = _user_info(claims, token)
    except PROVIDER_FAILURES as error:
        _log_failure("did not answer correctly", error)
        raise OpenIdSignInRefused(
            "The OpenID Connect provider did not confirm who you are."
        ) from None
    return _find_or_add_person(claims, settings)


def _user_info(claims: Mapping[str, Any], token: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the claims that the provider puts only into its user info, for the same subject."""
    user_info: Mapping[str, Any] = _client().userinfo(token=token)
    if user_info.get("sub") != claims["sub"]:
        raise ValueError("the user info is about another subject")
    return user_info


def _find_or_add_person(claims: Mapping[str, Any], settings: OpenIdSettings) -> Person:
    if not claims.get("email") or claims.get("email_verified") is not True:
        raise OpenIdSignInRefused("The OpenID Connect provider has not verified your email.")
    try:
        email = read_email(str(claims["email"]))
    except ChangeRefused as error:
        raise OpenIdSignInRefused(str(error)) from None
    with transaction():
        person = people.find(email) or _add_newcomer(email, claims, settings)
    if person is None or person.disabled_at:
        raise OpenIdSignInRefused(f"{email} may not sign in here. Ask an administrator.")
    return person


def _add_newcomer(email: str, claims: Mapping[str, Any], settings: OpenIdSettings) -> Person | None:
    """Add an unknown person whose email is of the allowed domain; None for any other."""
    domain = email.rpartition("@")[2].casefold()
    if settings.domain is None or settings.default_role is None:
        return None
    organization = organizations.find(settings.organization)
    if domain != settings.domain.casefold() or organization is None:
        return None
    name = claims.get("name")
    newcomer = NewMember(email, name if isinstance(name, str) else None, None)
    try:
        added = changes.add(
            organization, newcomer, Role(settings.default_role), maker=MAKER, at=now()
        )
    except ChangeRefused as error:
        raise OpenIdSignInRefused(str(error)) from None
    return added.person


def _client() -> Any:
    return current_app.extensions["authlib.integrations.flask_client"].create_client(PROVIDER)


def _issuer_spellings(issuer: str) -> list[str]:
    """Return both forms: some providers end their name with a slash, whatever is configured."""
    return [issuer.rstrip("/"), issuer.rstrip("/") + "/"]


def _settings() -> OpenIdSettings:
    settings = app_context().settings.open_id
    assert settings is not None  # noqa: S101 -- the pages are registered with these settings only
    return settings


def _return_address() -> str:
    base = app_context().settings.dashboard_url
    if base:
        return base.rstrip("/") + url_for("open_id.callback")
    return url_for("open_id.callback", _external=True)


def _log_failure(what: str, error: Exception) -> None:
    logger.warning("the OpenID Connect provider %s: %s", what, error)
