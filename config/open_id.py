"""Settings of signing in to the dashboard with OpenID Connect."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from marshmallow import (
    EXCLUDE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class OpenIdSettings:
    """The provider, and which people may sign in without an invitation.

    If both are set, people with a verified email address at `domain` become members of
    `organization` with `default_role`.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "OpenID Connect"
    default_role: str | None = None
    domain: str | None = None
    organization: str = "default"


def open_id_settings_from(environment: Mapping[str, str]) -> OpenIdSettings | None:
    """Read and check the variables `BRAZEBEE_OIDC_...`; return None if none is set.

    Raises:
        ValidationError: variables are missing or invalid.
    """
    if not any(name.startswith("BRAZEBEE_OIDC_") for name in environment):
        return None
    loaded: OpenIdSettings = _OpenIdSchema().load(environment)
    return loaded


def _check_issuer(value: str) -> None:
    parts = urlsplit(value)
    if not parts.hostname or parts.query or parts.fragment:
        raise ValidationError("is not a URL such as https://accounts.example.com.")
    if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _LOOPBACK):
        raise ValidationError("must start with https://.")


_MISSING: dict[str, Any] = {"required": "is not set; OpenID Connect needs it."}


class _OpenIdSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    issuer = fields.String(
        data_key="BRAZEBEE_OIDC_ISSUER",
        required=True,
        error_messages=_MISSING,
        validate=_check_issuer,
    )
    client_id = fields.String(
        data_key="BRAZEBEE_OIDC_CLIENT_ID", required=True, error_messages=_MISSING
    )
    client_secret = fields.String(
        data_key="BRAZEBEE_OIDC_CLIENT_SECRET", required=True, error_messages=_MISSING
    )
    name = fields.String(data_key="BRAZEBEE_OIDC_NAME", validate=validate.Length(max=60))
    default_role = fields.String(
        data_key="BRAZEBEE_OIDC_DEFAULT_ROLE",
        validate=validate.OneOf(["viewer", "editor", "administrator"]),
    )
    domain = fields.String(
        data_key="BRAZEBEE_OIDC_DOMAIN",
        validate=validate.Regexp(
            r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z", error="must be a domain such as example.com."
        ),
    )
    organization = fields.String(data_key="BRAZEBEE_OIDC_ORGANIZATION")

    @validates_schema
    def check_both(self, values: dict[str, Any], **_kwargs: Any) -> None:
        if ("default_role" in values) != ("domain" in values):
            missing = "DOMAIN" if "default_role" in values else "DEFAULT_ROLE"
            raise ValidationError(
                "is not set; domain and default role belong together.", f"BRAZEBEE_OIDC_{missing}"
            )

    @post_load
    def make(self, values: dict[str, Any], **_kwargs: Any) -> OpenIdSettings:
        return OpenIdSettings(**values)
