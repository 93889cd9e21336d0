"""A PostgreSQL data directory with migrated databases, created once and copied by test processes.

To create a cluster and to migrate it takes a second of CPU, to copy it a few hundredths.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg2

from config.settings import Settings
from models.database import connect, database
from models.migrations import migrate
from standalone.data_directory import DataDirectory
from standalone.embedded import postgres_command, postgres_url, redis_url
from standalone.supervisor import Supervisor
from standalone.waiting import wait_for_postgres
from tests.support.routability import PARTITIONED_DATABASE, PARTITIONED_SCHEMA

TEMPLATE_DATABASE = "template_for_tests"

FOLDER_VARIABLE = "BRAZEBEE_TESTS_TEMPLATE"
"""Where the template is or will be: the controller of a run passes it to the workers."""

FAST = "\nfsync = off\nautovacuum = off\n"
"""For `postgresql.conf`. No test depends on what survives an outage of the whole machine, or runs
for so long that tables need a vacuum."""


@contextmanager
def template_folder() -> Iterator[None]:
    """Keep a folder for the template while a test run lasts."""
    with tempfile.TemporaryDirectory(prefix="brazebee-template-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run as another user
        os.environ[FOLDER_VARIABLE] = folder
        yield
        del os.environ[FOLDER_VARIABLE]


def copy_template(data: DataDirectory) -> None:
    """Give a new data directory the cluster of the template; the first caller creates that."""
    folder = Path(os.environ[FOLDER_VARIABLE])
    template = DataDirectory(folder / "data")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _create(template)
            (folder / "complete").touch()
    data.root.mkdir(parents=True, exist_ok=True)
    # As `cp` keeps owners, the copy belongs to the user that PostgreSQL runs as.
    subprocess.run(["cp", "-a", template.postgres, data.postgres], check=True)


def _create(template: DataDirectory) -> None:
    shutil.rmtree(template.root, ignore_errors=True)
    template.create()
    command = postgres_command(template)
    with (template.postgres / "postgresql.conf").open("a") as configuration:
        configuration.write(FAST)
    supervisor = Supervisor(os.environ)
    supervisor.start([replace(command, arguments=[*command.arguments, "-c", "max_wal_size=1GB"])])
    url = postgres_url(template)
    try:
        wait_for_postgres(url)
        connect(Settings(url, redis_url(template), redis_url(template)))
        migrate()
        database.obj.close_all()
        create_database(url, TEMPLATE_DATABASE, template="postgres")
        create_database(url, PARTITIONED_DATABASE, template="postgres")
        execute(url.replace("/postgres?", f"/{PARTITIONED_DATABASE}?"), PARTITIONED_SCHEMA)
    finally:
        supervisor.stop([["postgres"]], seconds=10)
        template.remove_socket_directories()


def create_database(url: str, name: str, *, template: str) -> None:
    """Copy a database that nobody is connected to."""
    # `wal_log` copies a small database faster than the checkpoints that `file_copy` needs.
    execute(
        url.replace("/postgres?", "/template1?"),
        f"create database {name} template {template} strategy wal_log",
    )


def execute(url: str, sql: str) -> None:
    """Run a statement outside a transaction."""
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
    finally:
        connection.close()
