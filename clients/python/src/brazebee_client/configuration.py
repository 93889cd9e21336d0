"""How a client works: from arguments, else from the environment, else by default."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from brazebee_client.errors import InvalidConfiguration

SYNC_POLICIES = ("always", "interval", "never")

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}
_LEAST_SPOOL = 100_000
"""Bytes; a few large events have to fit."""


@dataclass(frozen=True)
class Configuration:
    """What a client was asked for; see `Client` for the meanings."""

    url: str = ""
    api_key: str = ""
    spool_dir: Path = Path()
    disabled: bool = False
    max_spool_bytes: int = 100_000_000
    sync: str = "interval"
    flush_interval: float = 2.0
    request_timeout: float = 10.0
    exit_timeout: float = 3.0

    @classmethod
    def read(
        cls,
        url: str | None,
        api_key: str | None,
        spool_dir: str | os.PathLike[str] | None,
        disabled: bool | None,  # noqa: FBT001 -- three values: None asks the environment
        **others: Any,
    ) -> Configuration:
        """Return the configuration of a client.

        Raises:
            InvalidConfiguration: something is missing or has no meaning.
        """
        if _is_disabled() if disabled is None else disabled:
            return cls(disabled=True)
        base = _base(url or os.environ.get("BRAZEBEE_URL", ""))
        key = (api_key or os.environ.get("BRAZEBEE_API_KEY", "")).strip()
        if not key:
            raise InvalidConfiguration(
                "There is no API key. Pass api_key or set BRAZEBEE_API_KEY; in tests, pass"
                " disabled=True or set BRAZEBEE_DISABLED=1."
            )
        if not key.isascii() or not key.isprintable():
            raise InvalidConfiguration("The API key has characters that no key has")
        given = spool_dir or os.environ.get("BRAZEBEE_SPOOL_DIR")
        directory = Path(given).expanduser() if given else default_directory(base, key)
        read = cls(base, key, directory.absolute(), **others)
        read._check()
        return read

    def _check(self) -> None:
        if self.sync not in SYNC_POLICIES:
            raise InvalidConfiguration(f"sync is one of {', '.join(SYNC_POLICIES)}")
        if self.max_spool_bytes < _LEAST_SPOOL:
            raise InvalidConfiguration(f"max_spool_bytes is at least {_LEAST_SPOOL}")
        if min(self.flush_interval, self.request_timeout) <= 0 or self.exit_timeout < 0:
            raise InvalidConfiguration("flush_interval and request_timeout are positive seconds")


def default_directory(url: str, api_key: str) -> Path:
    """Return the directory of this user for one address and one key.

    Without a directory of the application's own, nothing tells apart the organizations to which
    the keys of one user belong, and events must never reach another organization.
    """
    name = hashlib.sha256(f"{url}\n{api_key}".encode()).hexdigest()[:16]
    return _user_directory() / "brazebee-client" / name


def _user_directory() -> Path:
    try:
        home = Path.home()
    except RuntimeError:  # the user has none
        home = Path("/nonexistent")
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")


def _base(url: str) -> str:
    """Return the address without a path: `/v1` at its end is allowed."""
    if not url:
        raise InvalidConfiguration(
            "There is no address. Pass url or set BRAZEBEE_URL, such as http://127.0.0.1:8000; in"
            " tests, pass disabled=True or set BRAZEBEE_DISABLED=1."
        )
    base = url.strip().rstrip("/")
    base = base.removesuffix("/v1")
    try:
        parts = urlsplit(base)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.username or parts.query or parts.fragment:
        raise InvalidConfiguration(
            f"{url!r} is no address of Brazebee: it looks like https://events.example.com"
        )
    return base


def _is_disabled() -> bool:
    value = os.environ.get("BRAZEBEE_DISABLED", "").strip().lower()
    if value in _TRUE | _FALSE:
        return value in _TRUE
    raise InvalidConfiguration("BRAZEBEE_DISABLED is 1 or 0")
