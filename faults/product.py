"""The product with each process on its own: to be killed, stopped, restarted and replaced."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import redis
from honcho.environ import parse_procfile

from bench.product.processes import free_port, wait_for_port
from bench.product.servers import embedded_servers
from config.files import ROOT
from config.settings import Settings
from standalone.supervisor import Command, Supervisor

KINDS = {"persist": 2, "evaluate": 1, "deliver": 1, "clock": 1, "web": 1}
"""How many lines of each name of the Procfile run."""

WATCH_SECONDS = 0.1
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Release:
    """A release of the product: a folder with its code."""

    name: str
    folder: Path

    def line(self, kind: str) -> str:
        """Return the command of a kind of process."""
        procfile = (self.folder / "Procfile").read_text(encoding="utf-8")
        return str(parse_procfile(procfile).processes[kind])

    def migrate(self, settings: Settings) -> None:
        """Bring the schema of a database up to this release."""
        environment = {**os.environ, "DATABASE_URL": settings.database_url,
                       "REDIS_URL": settings.redis_url, "PYTHONPATH": str(self.folder)}  # fmt: skip
        subprocess.run(
            [sys.executable, "-c", "from cli.main import main; main()", "migrate", "--post"],
            cwd=self.folder,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )


CURRENT = Release("this release", ROOT)


class Product:
    """The running processes, on embedded servers; processes that end are started again."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.redis = redis.Redis.from_url(settings.redis_url)
        self._folder = folder
        self._lock = threading.Lock()
        self._supervisor = Supervisor(self._environment())
        self._releases = dict.fromkeys(KINDS, CURRENT)
        self._stopping = threading.Event()
        self._watching = threading.Thread(target=self._restart_ended, daemon=True)

    def start(self) -> None:
        """Start every process and wait until the ingress answers."""
        for kind in KINDS:
            self._start(kind)
        self._watching.start()
        wait_for_port(self.port)

    def stop(self) -> None:
        """Stop every process."""
        self._stopping.set()
        self._watching.join()
        self._supervisor.stop([["web"], ["clock", "persist", "evaluate", "deliver"]], STOP_SECONDS)
        self.redis.close()

    def replace(self, kind: str, release: Release) -> None:
        """Stop the processes of a kind and start those of a release, as a deploy does."""
        with self._lock:
            self._supervisor.stop([[kind]], STOP_SECONDS)
            self._releases[kind] = release
            self._start(kind)
        if kind == "web":
            wait_for_port(self.port)

    def workers(self, kind: str) -> list[psutil.Process]:
        """Return the processes that do the work of a kind, or the one that has no others."""
        with self._lock:
            leaders = [
                psutil.Process(started.pid)
                for started in self._supervisor.running()
                if started.name.split(".")[0] == kind
            ]
        workers = []
        for leader in leaders:
            with suppress(psutil.NoSuchProcess):
                workers += leader.children() or [leader]
        return workers

    def signal(self, kind: str, number: signal.Signals) -> None:
        """Send a signal to one of the processes that do the work of a kind."""
        with suppress(psutil.NoSuchProcess, IndexError):
            self.workers(kind)[0].send_signal(number)

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement on a connection of its own; return its rows, if it has any."""
        connection = psycopg2.connect(self.settings.database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def _start(self, kind: str) -> None:
        release = self._releases[kind]
        self._supervisor.start(
            Command(
                name=f"{kind}.{number}",
                # The environment decides which code runs.
                arguments=f"export PYTHONPATH={release.folder}; cd {release.folder};"
                f" {release.line(kind)}",
                log_file=self._folder / f"{kind}.log",
            )
            for number in range(1, KINDS[kind] + 1)
        )

    def _restart_ended(self) -> None:
        while not self._stopping.wait(WATCH_SECONDS):
            with self._lock:
                self._supervisor.restart_ended()

    def _environment(self) -> Mapping[str, str]:
        settings = self.settings
        return {
            **{name: v for name, v in os.environ.items() if not name.startswith("BRAZEBEE_")},
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "BRAZEBEE_SECRET_KEY": settings.secret_keys[0],
            "BRAZEBEE_WEBHOOK_ALLOW_NETS": "127.0.0.0/8",
            "BRAZEBEE_RATE_LIMIT": "1000000000/hour",
            "PORT": str(self.port),
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        }


@contextmanager
def running_product(before: Release | None = None) -> Iterator[Product]:
    """Run the product in a folder of its own.

    With the release before, the schema is that of a deploy that is not over: without the post
    migrations of this one.
    """
    with tempfile.TemporaryDirectory(prefix="brazebee-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL may run as another user
        with embedded_servers(folder, before.migrate if before else None) as settings:
            product = Product(settings, folder)
            try:
                product.start()
                yield product
            finally:
                product.stop()
