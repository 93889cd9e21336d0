"""The two cookies of the dashboard: the token of the session, and Flask's own."""

from datetime import timedelta

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.wrappers import Response

MAX_LIFETIME = timedelta(days=7)
"""A session ends after this time, however busy it is."""

_SESSION_COOKIE = "brazebee_session"
_FLASK_COOKIE = "brazebee"


class SchemeAwareCookies(SecureCookieSessionInterface):
    """Flask's own cookie, for flashed messages and CSRF; limited to https where https is used."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 -- as Flask calls it
        """Whether the request came over https."""
        return request.is_secure

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002 -- as Flask calls it
        """Return a name that, over https, no other host of the domain can set."""
        return _host_bound(_FLASK_COOKIE)


def session_token() -> str | None:
    """Return the token that the browser sent, whether it is valid or not."""
    return request.cookies.get(_host_bound(_SESSION_COOKIE))


def set_session_token(response: Response, token: str) -> None:
    """Store a token in the browser."""
    response.set_cookie(
        _host_bound(_SESSION_COOKIE),
        token,
        max_age=MAX_LIFETIME,
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def delete_session_token(response: Response) -> None:
    """Delete the token from the browser."""
    response.delete_cookie(
        _host_bound(_SESSION_COOKIE),
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def _host_bound(name: str) -> str:
    return f"__Host-{name}" if request.is_secure else name
