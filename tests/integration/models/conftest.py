"""A new database for tests of migrations."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from config.settings import Settings
from models.database import connect, database


@pytest.fixture
def used_database(servers: Any, settings: Settings) -> Iterator[Settings]:
    """Settings of a new database without tables, to which this process is connected."""
    servers.execute("create database to_migrate")
    changed = replace(settings, database_url=servers.database_url("to_migrate"))
    connect(changed)
    try:
        yield changed
    finally:
        database.obj.close_all()
        servers.execute("drop database to_migrate")


@pytest.fixture
def empty_database(used_database: Settings) -> None:
    """Connect to a new database without tables."""
    del used_database
