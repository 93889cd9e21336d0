"""The settings of the server that takes emails; without them, none are sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from marshmallow import (
    EXCLUDE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)

HOST = "BRAZEBEE_SMTP_HOST"
FROM = "BRAZEBEE_SMTP_FROM"
USER = "BRAZEBEE_SMTP_USER"
PASSWORD = "BRAZEBEE_SMTP_PASSWORD"  # noqa: S105 -- the name of a variable

PORTS = {"starttls": 587, "tls": 465, "none": 25}
"""The usual port by how the connection is encrypted."""


@dataclass(frozen=True)
class SmtpSettings:
    """A server that takes emails, and the address that they come from.

    With `starttls`, the connection is encrypted before anything is sent; with `tls` from its start.
    """

    host: str
    sender: str
    port: int
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class _SmtpSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    host = fields.String(
        data_key="BRAZEBEE_SMTP_HOST",
        validate=validate.Regexp(r"[A-Za-z0-9.:_-]{1,255}\Z", error="must be the name of a host."),
    )
    port = fields.Integer(data_key="BRAZEBEE_SMTP_PORT", validate=validate.Range(1, 65535))
    sender = fields.Email(data_key="BRAZEBEE_SMTP_FROM")
    tls = fields.String(
        data_key="BRAZEBEE_SMTP_TLS",
        load_default="starttls",
        validate=validate.OneOf(list(PORTS), error="must be starttls, tls or none."),
    )
    user = fields.String(data_key="BRAZEBEE_SMTP_USER")
    password = fields.String(data_key="BRAZEBEE_SMTP_PASSWORD")

    @validates_schema
    def check_completeness(self, values: dict[str, Any], **_kwargs: Any) -> None:
        if "host" not in values:
            return
        if "sender" not in values:
            raise ValidationError("is not set; emails need an address that they come from.", FROM)
        if ("user" in values) != ("password" in values):
            missing = PASSWORD if "user" in values else USER
            raise ValidationError("is not set; a user has a password.", missing)

    @post_load
    def build(self, values: dict[str, Any], **_kwargs: Any) -> SmtpSettings | None:
        if "host" not in values:
            return None
        return SmtpSettings(**{"port": PORTS[values["tls"]], **values})


def smtp_settings_from(environment: Mapping[str, str]) -> SmtpSettings | None:
    """Read and check the variables of the server; None if it has no host.

    Raises:
        ValidationError: variables are invalid; lists the faults of each.
    """
    settings: SmtpSettings | None = _SmtpSchema().load(environment)
    return settings
