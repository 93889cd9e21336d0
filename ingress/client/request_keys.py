"""The API key of a request, and the refusal of one that lacks a scope."""

import base64

from ingress.client.errors import ApiError
from ingress.client.headers import Headers
from ingress.client.rate_limit import Window
from models.keys.api_keys import KeyHolder
from models.keys.scopes import Scope


class ScopeMissing(ApiError):
    """Raised when the key of `holder` lacks the scope of a request; `window` as in `ApiError`."""

    def __init__(self, holder: KeyHolder, scope: Scope, window: Window) -> None:
        command = f"brazebee keys set-scopes {holder.key_id}"
        for name in (*holder.scopes, scope):
            command += f" --scope {name}"
        message = (
            f"The scopes of this key are: {', '.join(holder.scopes)}. An administrator can add"
            f" {scope} in the dashboard under Settings, API keys, or with `{command}`, or create"
            " another key"
        )
        detail = {"scope": scope.value, "message": message}
        super().__init__(403, f"API key lacks the scope: {scope}", [detail], window=window)
        self.holder = holder


def key_of(headers: Headers) -> str:
    """Return the key in `x-api-key`, or else in `Authorization`; empty without one.

    `Authorization` has it as a bearer token, or as the name of Basic authorization without a
    password. It may be meant for a gateway in front, so `x-api-key` takes precedence over it.
    """
    key = (headers.get("x-api-key") or "").strip()
    if key:
        return key
    scheme, _, token = (headers.get("authorization") or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return _basic_name(token.strip()) if scheme.lower() == "basic" else ""


def has_basic(headers: Headers) -> bool:
    """Whether a request has Basic authorization, as the SDKs of Segment do."""
    return (headers.get("authorization") or "").lstrip()[:6].lower() == "basic "


def _basic_name(credentials: str) -> str:
    try:
        decoded = base64.b64decode(credentials, validate=True).decode("ascii")
    except ValueError:
        return ""
    name, _, password = decoded.partition(":")
    return "" if password else name.strip()
