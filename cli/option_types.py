"""Types and defaults of options."""

import getpass
from datetime import datetime
from typing import Any

import click

from rules.phrases.fields import as_instant


class Instant(click.ParamType[datetime]):
    """An instant in ISO 8601, in UTC unless it has an offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read ISO 8601."""
        at = value if isinstance(value, datetime) else as_instant(value)
        if at is None:
            self.fail(f"`{value}` is not a time such as 2026-01-20T10:30:00Z", param, ctx)
        return at


def current_user() -> str:
    """Return the name of the user on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
