"""A real `brazebee up` in a folder of its own, and the command line next to it."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import requests

from standalone.data_directory import DataDirectory
from tests.support.ports import free_port
from tests.support.product.command_server import BRAZEBEE, CommandServer
from tests.support.product.data_template import copy_template

START_SECONDS = 60.0

COMMANDS = CommandServer()


def eventually(answers: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait for a true answer and return it; fail with the last one when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        answer = answers()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        time.sleep(0.05)


class Brazebee:
    """One `brazebee up`: its process, what it printed, and commands that use it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.dashboard_port = free_port()
        self.data_dir = folder / "data"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("BRAZEBEE_")},
            "PORT": str(self.port),
            "BRAZEBEE_DASHBOARD_PORT": str(self.dashboard_port),
            "BRAZEBEE_DATA_DIR": str(self.data_dir),
            "PYTHONDONTWRITEBYTECODE": "",  # a start takes a third less CPU with compiled modules
            **environment,
        }
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.dashboard_url = f"http://127.0.0.1:{self.dashboard_port}"
        self.api_key = ""
        self.output: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def start(self, *options: str, **scale: int) -> "Brazebee":
        """Start it and wait until it is ready: `start(dashboard=0, persist=2)`.

        Each process takes most of a second of CPU to start, so tests leave out what they do not
        need.
        """
        self.begin(*options, **scale)
        eventually(lambda: "Brazebee is ready" in self.text or self._ended(), START_SECONDS)
        assert not self._ended(), self.text
        key = re.search(r"bzb_\S+", self.text)
        if key:
            self.api_key = key.group()
        return self

    def begin(self, *options: str, **scale: int) -> None:
        """Start it, and do not wait."""
        if scale:
            options = (*options, "--scale", ",".join(f"{name}={n}" for name, n in scale.items()))
        self.output.clear()
        self.process = subprocess.Popen(
            [BRAZEBEE, "up", *options],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()

    def use_template(self) -> None:
        """Take a migrated database from the template of the tests, before the first start."""
        copy_template(DataDirectory(self.data_dir))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.process = None
        return code

    @property
    def text(self) -> str:
        return "\n".join(self.output)

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return COMMANDS.run(arguments, self.environment, given=given)

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def track(self, body: Mapping[str, Any], key: str | None = None) -> requests.Response:
        return requests.post(
            f"{self.base_url}/v1/track",
            headers={"x-api-key": key or self.api_key},
            json=body,
            timeout=10,
        )

    @property
    def servers(self) -> dict[str, str]:
        """Return the addresses of PostgreSQL and Redis by setting."""
        running: dict[str, dict[str, str]] = json.loads(
            (self.data_dir / "running.json").read_text()
        )
        return running["environment"]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on PostgreSQL."""
        connection = psycopg2.connect(self.servers["DATABASE_URL"])
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        finally:
            connection.close()

    def execute(self, sql: str) -> None:
        """Run a statement on PostgreSQL."""
        connection = psycopg2.connect(self.servers["DATABASE_URL"])
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
        finally:
            connection.close()

    def stored_event_ids(self) -> set[str]:
        """Return the ids of the events in PostgreSQL; none while it cannot be reached."""
        try:
            connection = psycopg2.connect(self.servers["DATABASE_URL"])
        except psycopg2.OperationalError:
            return set()
        try:
            with connection.cursor() as cursor:
                cursor.execute("select event_id from events")
                return {event_id for (event_id,) in cursor.fetchall()}
        finally:
            connection.close()

    def pids(self) -> dict[str, int]:
        """Return the id of the process that leads each name, such as `persist.1`."""
        written = json.loads((self.data_dir / "processes.json").read_text())
        return {process["name"]: process["pid"] for process in written["started"]}

    def kill(self, name: str) -> bool:
        """Kill -9 the process that does the work of a name; False if none is running."""
        try:
            leader = psutil.Process(self.pids()[name])
            workers = leader.children() if "." in name else []
            os.kill((workers or [leader])[0].pid, signal.SIGKILL)
        except (KeyError, ProcessLookupError, psutil.NoSuchProcess):
            return False
        return True

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.output.append(line.rstrip("\n"))
