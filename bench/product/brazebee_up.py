"""`brazebee up` in a separate folder, for measurements from outside."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

import psycopg2

from bench.product.processes import free_port

BRAZEBEE = str(Path(sys.executable).parent / "brazebee")


class Product:
    """A running product; a context manager that stops it.

    `output` has the lines that it prints once it is ready.
    """

    def __init__(self, folder: Path, rules: str, *options: str, **environment: str) -> None:
        self.rules = folder / "rules.yaml"
        self.rules.write_text(rules)
        self.data = folder / "data"
        self.port = free_port()
        self.environment = {
            **os.environ,
            **environment,
            "BRAZEBEE_DATA_DIR": str(self.data),
            "PORT": str(self.port),
            "BRAZEBEE_DASHBOARD_PORT": str(free_port()),
        }
        self.output: list[str] = []
        self._command = [BRAZEBEE, "up", "--rules", str(self.rules), *options]

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines = iter(self.process.stdout or ())
        if not any("Brazebee is ready" in line for line in lines):
            raise RuntimeError(f"`brazebee up` ended with {self.process.wait()}")
        threading.Thread(target=self.output.extend, args=(lines,), daemon=True).start()
        running = json.loads((self.data / "running.json").read_text())
        self.servers: dict[str, str] = running["environment"]
        self.connection = psycopg2.connect(self.servers["DATABASE_URL"])
        self.connection.autocommit = True
        return self

    def __exit__(self, *_error: object) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait(60)

    def run(self, *arguments: str) -> str:
        """Run a `brazebee` command, and return its output."""
        return subprocess.run(
            [BRAZEBEE, *arguments],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def json(self, *arguments: str) -> Any:
        """Run a command with `--json`, and return its output."""
        return json.loads(self.run(*arguments, "--json"))

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement, and return its rows, if it has any."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def pids(self) -> dict[str, int]:
        """Return the ids of `up` and of the processes that it runs, by name."""
        record = json.loads((self.data / "processes.json").read_text())
        started = {
            process["name"].split(".")[0]: int(process["pid"]) for process in record["started"]
        }
        return {"up": self.process.pid, **started}
