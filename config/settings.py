"""The settings of the product, read from environment variables and checked."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate
from redis.connection import parse_url

from config.errors import ConfigError
from config.open_id import OpenIdSettings, open_id_settings_from
from config.smtp import SmtpSettings, smtp_settings_from
from config.webhook_policy import WebhookPolicy, webhook_policy_from

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_RATE_LIMIT = "10000/hour"
"""Requests per organization, as the public API's documentation promises."""

_FERNET_KEY = re.compile("[A-Za-z0-9_-]{43}=")
_ADDRESS = r"https?://[^/?#\s@]+/?\Z"


@dataclass(frozen=True)
class Settings:
    """The configuration of a process. Secrets are left out of its representation."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    rate_limit_redis_url: str = field(repr=False)
    rate_limit: str = DEFAULT_RATE_LIMIT
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    webhook_allow_nets: tuple[Network, ...] = ()
    webhooks: WebhookPolicy = field(default_factory=WebhookPolicy)
    trusted_proxies: int = 0
    metrics_token: str | None = field(default=None, repr=False)
    ingress_url: str | None = None
    dashboard_url: str | None = None
    admin_email: str = "admin@localhost"
    open_id: OpenIdSettings | None = None
    smtp: SmtpSettings | None = None
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read and check environment variables; empty ones count as unset.

        Raises:
            ConfigError: variables are missing or invalid.
        """
        variables = {name: value for name, value in environment.items() if value.strip()}
        loaded: dict[str, Any] = {}
        faults: dict[str, list[str]] = {}
        readers: dict[str, Callable[[Mapping[str, str]], Any]] = {
            "webhooks": webhook_policy_from,
            "open_id": open_id_settings_from,
            "smtp": smtp_settings_from,
            "others": _SettingsSchema().load,
        }
        for name, read in readers.items():
            try:
                loaded[name] = read(variables)
            except ValidationError as error:
                faults |= error.messages_dict
        if faults:
            lines = [f"{name}: {' '.join(faults[name])}" for name in sorted(faults)]
            raise ConfigError("\n".join(lines))
        return cls(**loaded.pop("others"), **loaded)


class _Networks(fields.Field[tuple[Network, ...]]):
    """Comma-separated CIDRs, or `none`."""

    def _deserialize(self, value: str, *_args: Any, **_kwargs: Any) -> tuple[Network, ...]:
        if value.strip().lower() == "none":
            return ()
        try:
            return tuple(ipaddress.ip_network(net.strip()) for net in value.split(","))
        except ValueError as error:
            raise ValidationError(f"{error}; expected CIDRs such as 10.1.0.0/16.") from None


class _SecretKeys(fields.Field[tuple[str, ...]]):
    """Comma-separated Fernet keys; the first one encrypts."""

    def _deserialize(self, value: str, *_args: Any, **_kwargs: Any) -> tuple[str, ...]:
        keys = tuple(key.strip() for key in value.split(","))
        if not all(_FERNET_KEY.fullmatch(key) for key in keys):
            raise ValidationError(
                "not a Fernet key (32 bytes in url-safe base64); separate several keys by commas."
            )
        return keys


def check_rate_limit(value: str) -> None:
    """Check a rate such as `10000/hour`.

    Raises:
        ValidationError: the text is not exactly one rate, or the rate allows nothing.
    """
    import limits  # noqa: PLC0415 -- it takes a tenth of the start of every process

    try:
        [rate] = limits.parse_many(value)
    except ValueError:
        rate = None
    if rate is None or rate.amount < 1:
        raise ValidationError(f"`{value}` is not a rate; expected for example 10000/hour.")


def _check_redis_url(value: str) -> None:
    try:
        parse_url(value)
        number = _database_number(value)
    except ValueError:
        number = -1
    if number < 0:
        raise ValidationError(
            "must start with redis:// or rediss:// or unix://, and may end in a database number,"
            " such as redis://127.0.0.1:6379/0."
        )


def _missing(server: str) -> dict[str, Any]:
    return {
        "required": f"is not set; set it to the address of {server}, or start everything with"
        " `brazebee up`."
    }


class _SettingsSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    database_url = fields.String(
        data_key="DATABASE_URL",
        required=True,
        error_messages=_missing("PostgreSQL"),
        validate=validate.Regexp(
            "^postgres(ql)?://", error="must start with postgresql:// or postgres://."
        ),
    )
    redis_url = fields.String(
        data_key="REDIS_URL",
        required=True,
        error_messages=_missing("Redis"),
        validate=_check_redis_url,
    )
    rate_limit_redis_url = fields.String(
        data_key="BRAZEBEE_RATE_LIMIT_REDIS_URL", validate=_check_redis_url
    )
    rate_limit = fields.String(data_key="BRAZEBEE_RATE_LIMIT", validate=check_rate_limit)
    secret_keys = _SecretKeys(data_key="BRAZEBEE_SECRET_KEY")
    webhook_allow_nets = _Networks(data_key="BRAZEBEE_WEBHOOK_ALLOW_NETS")
    trusted_proxies = fields.Integer(
        data_key="BRAZEBEE_TRUSTED_PROXIES", validate=validate.Range(min=0, max=10)
    )
    metrics_token = fields.String(
        data_key="BRAZEBEE_METRICS_TOKEN",
        validate=validate.Regexp("^[!-~]+$", error="must consist of visible ASCII characters."),
    )
    ingress_url = fields.String(
        data_key="BRAZEBEE_INGRESS_URL",
        validate=validate.Regexp(
            _ADDRESS,
            error="must be the address that applications send to, such as"
            " https://events.example.com.",
        ),
    )
    dashboard_url = fields.String(
        data_key="BRAZEBEE_DASHBOARD_URL",
        validate=validate.Regexp(
            _ADDRESS,
            error="must be the address that people open, such as https://health.example.com.",
        ),
    )
    admin_email = fields.Email(data_key="BRAZEBEE_ADMIN_EMAIL")
    log_level = fields.String(
        data_key="BRAZEBEE_LOG_LEVEL",
        validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]),
    )

    @post_load
    def complete(self, values: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        values.setdefault("rate_limit_redis_url", _next_database(values["redis_url"]))
        return values


def _next_database(redis_url: str) -> str:
    """Return the URL of the next database of the same Redis.

    The queue needs a database of its own, because Dramatiq's maintenance scans every key there.
    """
    parts = urlsplit(redis_url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    options.pop("db", None)
    number, path = _database_number(redis_url) + 1, parts.path
    if parts.scheme == "unix":
        options["db"] = str(number)
    else:
        path = f"/{number}"
    query = f"?{urlencode(options)}" if options else ""
    return f"{parts.scheme}://{parts.netloc}{path}{query}"


def _database_number(redis_url: str) -> int:
    """Return the database that redis-py uses: the option `db`, else the path, else 0."""
    parts = urlsplit(redis_url)
    databases = parse_qs(parts.query).get("db")
    if databases:
        return int(databases[-1])
    return int(parts.path.strip("/") or 0) if parts.scheme != "unix" else 0
