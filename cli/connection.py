"""How a command finds the servers: the environment first, then a running `brazebee up`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.errors import CommandError
from config.errors import ConfigError
from config.settings import Settings
from models.database import UNAVAILABLE, connect, transaction
from models.organizations import organizations
from models.organizations.organizations import Organization
from services.rules.rule_books import RulesUnreadable
from standalone.data_directory import (
    DATA_DIRECTORY_VARIABLE,
    DEFAULT_DATA_DIRECTORY,
    DataDirectory,
    RunningInstance,
)


def find_settings() -> Settings:
    """The settings of this environment, filled up from the `up` that runs on the data directory.

    Raises:
        CommandError: neither tells where the servers are, or a setting is wrong.
    """
    environment = {name: value for name, value in os.environ.items() if value.strip()}
    # Settings of one installation must not be mixed with the address of another.
    if "DATABASE_URL" not in environment:
        environment = find_running().environment | environment
    try:
        return Settings.from_environment(environment)
    except ConfigError as error:
        raise CommandError(str(error)) from None


def find_running() -> RunningInstance:
    """The `brazebee up` that runs on the data directory.

    Raises:
        CommandError: none does.
    """
    data = DataDirectory(
        Path(os.environ.get(DATA_DIRECTORY_VARIABLE, "").strip() or DEFAULT_DATA_DIRECTORY)
    )
    running = data.running()
    if running is None:
        raise CommandError(
            f"No running Brazebee was found in {data.root}: start it with `make run`, name its"
            f" data directory with {DATA_DIRECTORY_VARIABLE}, or set DATABASE_URL and REDIS_URL."
        )
    return running


@contextmanager
def database_transaction() -> Iterator[Settings]:
    """Connect, and do what follows in one transaction.

    Raises:
        CommandError: PostgreSQL cannot be reached.
    """
    settings = find_settings()
    connect(settings)
    with report_database_errors(), transaction():
        yield settings


@contextmanager
def report_database_errors() -> Iterator[None]:
    """Do what follows, and refuse in a sentence should PostgreSQL be away.

    Raises:
        CommandError: PostgreSQL cannot be reached, or stored rules cannot be read.
    """
    try:
        yield
    except RulesUnreadable as error:
        raise CommandError(str(error)) from None
    except UNAVAILABLE as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CommandError(
            f"PostgreSQL does not answer: {first_line}. Check that it runs and that"
            " DATABASE_URL is right."
        ) from None


def find_organization(name: str) -> Organization:
    """The organization with this name.

    Raises:
        CommandError: there is none.
    """
    organization = organizations.find(name)
    if organization is None:
        known = ", ".join(o.name for o in organizations.every()) or "none"
        raise CommandError(f"There is no organization `{name}`; known: {known}.")
    return organization
