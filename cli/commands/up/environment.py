"""The environment of the processes that `brazebee up` starts."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from cli.commands.up.options import Options
from cli.commands.up.welcome import LOOPBACK
from cli.errors import CommandError
from config.errors import ConfigError
from config.files import ROOT
from config.settings import Settings
from standalone.embedded import postgres_url, redis_url


def process_environment(options: Options) -> tuple[dict[str, str], Settings]:
    """Return the environment of every process, and the settings read from it.

    Raises:
        CommandError: a setting is missing or invalid.
    """
    defaults = {
        "DATABASE_URL": postgres_url(options.data),
        "REDIS_URL": redis_url(options.data),
        "BRAZEBEE_SECRET_KEY": options.data.secret_key(),
        "BRAZEBEE_INGRESS_URL": options.base_url,
    }
    if is_embedded("DATABASE_URL"):
        defaults["BRAZEBEE_WEBHOOK_ALLOW_NETS"] = LOOPBACK
    environment = defaults | {name: value for name, value in os.environ.items() if value.strip()}
    environment |= {
        "BRAZEBEE_HOST": options.host,
        "PORT": str(options.port),
        "BRAZEBEE_DASHBOARD_PORT": str(options.dashboard_port),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
    }
    try:
        return environment, Settings.from_environment(environment)
    except ConfigError as error:
        raise CommandError(str(error)) from None


def is_embedded(variable: str) -> bool:
    """Return whether the server of `DATABASE_URL` or `REDIS_URL` is the embedded one."""
    return not os.environ.get(variable, "").strip()


def shared_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that other commands need in order to use the same servers."""
    return {
        name: value
        for name, value in environment.items()
        if name in ("DATABASE_URL", "REDIS_URL") or name.startswith("BRAZEBEE_")
    }
