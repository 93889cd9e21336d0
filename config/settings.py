"""Every setting of the product: its name in the environment, default, meaning and check."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import limits
from cryptography.fernet import Fernet
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_RATE_LIMIT = "10000/hour"
"""Requests per organization, the figure of the public API's documentation."""


class SettingsError(Exception):
    """Raised when the environment does not make valid settings; tells every fault at once."""


@dataclass(frozen=True)
class Settings:
    """What a process is configured with. Secrets stay out of its repr."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    rate_limit_redis_url: str = field(repr=False)
    rate_limit: str = DEFAULT_RATE_LIMIT
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    webhook_allow_nets: tuple[Network, ...] = ()
    trusted_proxies: int = 0
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read and check the variables of an environment; empty ones count as unset.

        Raises:
            SettingsError: one or more are missing or wrong.
        """
        given = {name: value for name, value in environment.items() if value.strip()}
        try:
            settings: Settings = _SettingsSchema().load(given)
        except ValidationError as error:
            said = sorted(error.messages_dict.items())
            faults = [f"{name}: {' '.join(messages)}" for name, messages in said]
            raise SettingsError("\n".join(faults)) from None
        return settings


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
    """Comma-separated Fernet keys, the first of which encrypts."""

    def _deserialize(self, value: str, *_args: Any, **_kwargs: Any) -> tuple[str, ...]:
        keys = tuple(key.strip() for key in value.split(","))
        for key in keys:
            try:
                Fernet(key)
            except ValueError:
                raise ValidationError(
                    "not a Fernet key (32 bytes in url-safe base64); several are separated by commas."
                ) from None
        return keys


def _check_rate_limit(value: str) -> None:
    try:
        limits.parse(value)
    except ValueError:
        raise ValidationError(
            f"`{value}` is not a rate; expected for example 10000/hour."
        ) from None


def _url(*schemes: str, missing: str) -> dict[str, Any]:
    expected = " or ".join(f"{scheme}://" for scheme in schemes)
    return {
        "required": True,
        "error_messages": {"required": f"is not set; {missing}"},
        "validate": validate.Regexp(
            f"^({'|'.join(map(re.escape, schemes))}):", error=f"must start with {expected}."
        ),
    }


class _SettingsSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    database_url = fields.String(
        data_key="DATABASE_URL",
        **_url(
            "postgresql",
            "postgres",
            missing="give the address of PostgreSQL, or start everything with `brazebee up`.",
        ),
    )
    redis_url = fields.String(
        data_key="REDIS_URL",
        **_url(
            "redis",
            "rediss",
            "unix",
            missing="give the address of Redis, or start everything with `brazebee up`.",
        ),
    )
    rate_limit_redis_url = fields.String(data_key="BRAZEBEE_RATE_LIMIT_REDIS_URL")
    rate_limit = fields.String(data_key="BRAZEBEE_RATE_LIMIT", validate=_check_rate_limit)
    secret_keys = _SecretKeys(data_key="BRAZEBEE_SECRET_KEY")
    webhook_allow_nets = _Networks(data_key="BRAZEBEE_WEBHOOK_ALLOW_NETS")
    trusted_proxies = fields.Integer(
        data_key="BRAZEBEE_TRUSTED_PROXIES", validate=validate.Range(min=0, max=10)
    )
    log_level = fields.String(
        data_key="BRAZEBEE_LOG_LEVEL",
        validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]),
    )

    @post_load
    def build(self, values: dict[str, Any], **_kwargs: Any) -> Settings:
        values.setdefault("rate_limit_redis_url", _next_database(values["redis_url"]))
        return Settings(**values)


def _next_database(redis_url: str) -> str:
    """The same Redis with the database number after this one's.

    The queue needs a number of its own: Dramatiq's maintenance looks through every key there.
    """
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        number = int(parse_qs(parts.query).get("db", ["0"])[0])
        return f"unix://{parts.path}?{urlencode({'db': number + 1})}"
    number = int(parts.path.strip("/") or 0)
    return parts._replace(path=f"/{number + 1}").geturl()
