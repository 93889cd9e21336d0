"""Embedded PostgreSQL and Redis for the tests of one process."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.fernet import Fernet

from config.settings import Settings
from standalone.data_directory import DataDirectory
from standalone.embedded import postgres_command, postgres_url, redis_command, redis_url
from standalone.supervisor import Supervisor
from standalone.waiting import wait_for_postgres, wait_for_redis
from tests.support.product.data_template import (
    TEMPLATE_DATABASE,
    copy_template,
    create_database,
    execute,
)

FAST_REDIS = ("--appendfsync", "everysec")
"""What the embedded Redis promises with `always` is tested on products of their own."""


@dataclass(frozen=True)
class Servers:
    """Running servers."""

    data: DataDirectory
    numbers: Iterator[int]

    def settings(self) -> Settings:
        """Create a migrated database and return settings for it."""
        name = f"test_{next(self.numbers)}"
        create_database(postgres_url(self.data), name, template=TEMPLATE_DATABASE)
        return Settings.from_environment(
            {
                "DATABASE_URL": self.database_url(name),
                "REDIS_URL": redis_url(self.data),
                "BRAZEBEE_SECRET_KEY": Fernet.generate_key().decode(),
                "BRAZEBEE_WEBHOOK_ALLOW_NETS": "127.0.0.0/8",
            }
        )

    def database_url(self, name: str) -> str:
        return postgres_url(self.data).replace("/postgres?", f"/{name}?")

    def execute(self, sql: str) -> None:
        execute(postgres_url(self.data), sql)


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Run both servers on a new data directory."""
    with tempfile.TemporaryDirectory(prefix="brazebee-tests-") as folder:
        data = DataDirectory(Path(folder))
        data.create()
        copy_template(data)
        postgres = postgres_command(data)
        options = ["-c", "shared_buffers=128MB", "-c", "max_wal_size=1GB"]
        small = replace(postgres, arguments=[*postgres.arguments, *options])
        supervisor = Supervisor(os.environ)
        redis = redis_command(data)
        quick = replace(redis, arguments=[*redis.arguments, *FAST_REDIS])
        supervisor.start([small, quick])
        try:
            wait_for_postgres(postgres_url(data))
            wait_for_redis(redis_url(data))
            yield Servers(data, itertools.count(1))
        finally:
            supervisor.stop([["redis", "postgres"]], seconds=10)
            data.remove_socket_directories()
