"""Embedded servers in a separate folder, for the duration of a benchmark."""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cryptography.fernet import Fernet

from config.settings import Settings
from models.database import connect, database
from models.migrations import migrate
from standalone.data_directory import DataDirectory
from standalone.embedded import postgres_command, postgres_url, redis_command, redis_url
from standalone.supervisor import Supervisor
from standalone.waiting import wait_for_postgres, wait_for_redis

POSTGRES_OPTIONS = ("-c", "max_wal_size=8GB", "-c", "maintenance_work_mem=512MB")
"""So that filling tables does not disturb the measurements after it."""

WATCH_SECONDS = 0.25


@contextmanager
def embedded_servers(
    keep: Path | None = None, set_up: Callable[[Settings], object] | None = None
) -> Iterator[Settings]:
    """Run PostgreSQL and Redis, connect this process to them, and migrate the database.

    Both start empty and are removed afterwards, unless `keep` is a folder for their data. `set_up`
    prepares the database before it is migrated; then post migrations are left out.
    """
    with _folder(keep) as folder:
        data = DataDirectory(folder)
        data.create()
        settings = Settings.from_environment(
            {
                "DATABASE_URL": postgres_url(data),
                "REDIS_URL": redis_url(data),
                "BRAZEBEE_SECRET_KEY": Fernet.generate_key().decode(),
            }
        )
        supervisor = Supervisor(os.environ)
        postgres = postgres_command(data)
        arguments = [*postgres.arguments, *POSTGRES_OPTIONS]
        supervisor.start([replace(postgres, arguments=arguments), redis_command(data)])
        try:
            wait_for_postgres(settings.database_url)
            wait_for_redis(settings.redis_url)
            connect(settings)
            if set_up is not None:
                set_up(settings)
            migrate(post=set_up is None)
            with _kept_running(supervisor):
                yield settings
        finally:
            if not database.is_closed():
                database.close()
            supervisor.stop([["redis", "postgres"]], seconds=30)
            data.remove_socket_directories()


@contextmanager
def _kept_running(supervisor: Supervisor) -> Iterator[None]:
    """Restart servers that are killed, as `brazebee up` does."""
    stopping = threading.Event()

    def restart_ended() -> None:
        while not stopping.wait(WATCH_SECONDS):
            supervisor.restart_ended()

    watching = threading.Thread(target=restart_ended, daemon=True)
    watching.start()
    try:
        yield
    finally:
        stopping.set()
        watching.join()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="brazebee-bench-") as folder:
        yield Path(folder)
