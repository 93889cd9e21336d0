"""Finds the servers of a command: in the environment, else through a running `brazebee up`."""

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
from models.suitable_database import UnsuitableDatabase
from services.rules.rule_books import RulesUnreadable
from standalone.data_directory import (
    DATA_DIRECTORY_VARIABLE,
    DEFAULT_DATA_DIRECTORY,
    DataDirectory,
    RunningInstance,
)


def find_settings() -> Settings:
    """Return the settings of this environment, completed by the instance on the data directory.

    Raises:
        CommandError: neither has the address of PostgreSQL, or a setting is invalid.
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
    """Return the `brazebee up` that runs on the data directory.

    Raises:
        CommandError: there is none.
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
    """Connect, and run a block in one transaction.

    Raises:
        CommandError: PostgreSQL cannot be reached, or stored rules cannot be read.
    """
    settings = find_settings()
    connect(settings)
    with report_database_errors(), transaction():
        yield settings


@contextmanager
def report_database_errors() -> Iterator[None]:
    """Run a block, and report errors of the database in one sentence.

    Raises:
        CommandError: PostgreSQL cannot be reached, or stored rules cannot be read.
        UnsuitableDatabase: the database cannot be used.
    """
    try:
        yield
    except UnsuitableDatabase:
        raise
    except RulesUnreadable as error:
        raise CommandError(str(error)) from None
    except UNAVAILABLE as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CommandError(
            f"PostgreSQL does not answer: {first_line}. Check that it runs and that"
            " DATABASE_URL is right."
        ) from None


def find_organization(name: str) -> Organization:
    """Return the organization with this name.

    Raises:
        CommandError: there is none.
    """
    organization = organizations.find(name)
    if organization is None:
        names = ", ".join(organization.name for organization in organizations.list_all()) or "none"
        raise CommandError(f"There is no organization `{name}`; known: {names}.")
    return organization
