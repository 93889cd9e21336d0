"""Keeps people signed in: the session's cookie, and who comes with a request."""

from datetime import timedelta

from flask import Flask, g, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.wrappers import Response

from dashboard.access.members import Visitor
from dashboard.web.context import now
from models.database import transaction
from models.people import memberships, sessions

IDLE = timedelta(hours=12)
"""A session ends when it was not used for so long: over night, but not over lunch."""

LASTS = timedelta(days=7)
"""A session ends after so long, however busy it is."""

_NAME = "brazebee_session"
_WITHOUT_VISITOR = ("static", "livez", "readyz")


class CookiesByScheme(SecureCookieSessionInterface):
    """Flask's own cookie, for messages and CSRF: only over https where https is spoken."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 -- as Flask calls it
        """Whether the request came over https."""
        return request.is_secure

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002 -- as Flask calls it
        """A name by which no other host of the domain can set it, where that is possible."""
        return _host_bound("brazebee")


def recognise_visitors(app: Flask) -> None:
    """Find out before each request whom it comes from."""
    app.session_interface = CookiesByScheme()

    @app.before_request
    def find_visitor() -> None:
        token = session_token()
        if token is None or request.endpoint in _WITHOUT_VISITOR:
            return
        at = now()
        with transaction():
            found = sessions.find(token, at=at, idle=IDLE)
            if found is None:
                return
            session, person = found
            sessions.touch(session, at)
            g.visitor = Visitor(person, session, memberships.of_person(person.id))


def session_token() -> str | None:
    """The token that the browser has, good or not."""
    return request.cookies.get(_host_bound(_NAME))


def keep_token(response: Response, token: str) -> None:
    """Let the browser bring a token from now on."""
    response.set_cookie(
        _host_bound(_NAME),
        token,
        max_age=LASTS,
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def forget_token(response: Response) -> None:
    """Let the browser bring no token any more."""
    response.delete_cookie(
        _host_bound(_NAME), path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )


def _host_bound(name: str) -> str:
    return f"__Host-{name}" if request.is_secure else name
