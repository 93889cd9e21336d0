"""Sign-in by OpenID Connect: the authorization code flow with PKCE, and whom its answer means."""

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
from dashboard.web.context import now, parts
from models.database import transaction
from models.organizations import organizations
from models.people import people
from models.people.people import Person
from services.accounts import people as changes
from services.accounts.audit import Maker
from services.accounts.people import Newcomer, NotPossible
from services.accounts.roles import Role

logger = logging.getLogger("brazebee.dashboard")

NAME = "openid"
MAKER = Maker("OpenID Connect")

ANSWER_SECONDS = 10

FAILED = (AuthlibBaseError, JoseError, RequestException, RuntimeError, ValueError, KeyError)
"""What is raised for a provider that is away, or whose answers are not what they should be."""


class NotLetIn(Exception):
    """Raised when the provider's answer lets nobody in, with the reason for people."""


def use_open_id(app: Flask, settings: OpenIdSettings) -> None:
    """Register the provider, whose metadata is read when it is first needed."""
    OAuth(app).register(
        NAME,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": ANSWER_SECONDS,
        },
    )


def send_to_provider() -> Response:
    """Send the browser to the provider's page, to come back to `open_id.come_back`.

    Raises:
        NotLetIn: the provider does not answer.
    """
    for name in [name for name in session if name.startswith(f"_state_{NAME}")]:
        session.pop(name)  # of attempts that were given up: a cookie has little room
    try:
        response: Response = _client().authorize_redirect(_return_address())
    except FAILED as error:
        _log("could not be asked", error)
        raise NotLetIn("The OpenID Connect provider does not answer.") from None
    return response


def read_answer() -> Person:
    """The person whom the provider's answer means.

    Raises:
        NotLetIn: it means nobody who may sign in.
    """
    settings = _settings()
    wanted = {
        "iss": {"essential": True, "values": _spellings(settings.issuer)},
        "aud": {"essential": True, "values": [settings.client_id]},
    }
    try:
        token = _client().authorize_access_token(claims_options=wanted)
        claims = token["userinfo"]
        if "email" not in claims:
            claims = _more_of(claims, token)
    except FAILED as error:
        _log("gave no good answer", error)
        raise NotLetIn("The OpenID Connect provider did not confirm who you are.") from None
    return _person(claims, settings)


def _more_of(claims: Mapping[str, Any], token: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims that the provider tells at its other address alone, of the same subject."""
    told: Mapping[str, Any] = _client().userinfo(token=token)
    if told.get("sub") != claims["sub"]:
        raise ValueError("the user info is another subject's")
    return told


def _person(claims: Mapping[str, Any], settings: OpenIdSettings) -> Person:
    email = str(claims.get("email") or "").strip()
    if not email or claims.get("email_verified") is not True:
        raise NotLetIn("The OpenID Connect provider has not verified your email.")
    with transaction():
        person = people.find(email) or _newcomer(email, claims, settings)
    if person is None or person.disabled_at:
        raise NotLetIn(f"{email} may not sign in here. Ask an administrator.")
    return person


def _newcomer(email: str, claims: Mapping[str, Any], settings: OpenIdSettings) -> Person | None:
    """Somebody whom nobody has added, made a member if their domain is the one that may."""
    domain = email.rpartition("@")[2].casefold()
    if settings.domain is None or settings.default_role is None:
        return None
    organization = organizations.find(settings.organization)
    if domain != settings.domain.casefold() or organization is None:
        return None
    name = claims.get("name")
    newcomer = Newcomer(email, name if isinstance(name, str) else None, None)
    try:
        added = changes.add(
            organization, newcomer, Role(settings.default_role), maker=MAKER, at=now()
        )
    except NotPossible as error:
        raise NotLetIn(str(error)) from None
    return added.person


def _client() -> Any:
    return current_app.extensions["authlib.integrations.flask_client"].create_client(NAME)


def _spellings(issuer: str) -> list[str]:
    """Some providers call themselves with a slash at the end, whatever people enter."""
    return [issuer.rstrip("/"), issuer.rstrip("/") + "/"]


def _settings() -> OpenIdSettings:
    settings = parts().settings.open_id
    assert settings is not None  # noqa: S101 -- the pages exist with these settings only
    return settings


def _return_address() -> str:
    base = parts().settings.dashboard_url
    if base:
        return base.rstrip("/") + url_for("open_id.come_back")
    return url_for("open_id.come_back", _external=True)


def _log(what: str, error: Exception) -> None:
    logger.warning("the OpenID Connect provider %s: %s", what, error)
