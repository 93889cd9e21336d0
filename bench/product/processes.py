"""Starts, watches and ends the processes of a benchmark: lines of the Procfile."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil
from honcho.environ import parse_procfile

from config.files import PROCFILE

STOP_SECONDS = 30.0


class ProcessEnded(Exception):
    """Raised when a process has ended unexpectedly, with the last lines of its output."""


@dataclass(frozen=True)
class Usage:
    """Resources of a process tree: seconds of CPU so far, and megabytes of memory now."""

    cpu_seconds: float = 0.0
    memory_mb: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu_seconds + other.cpu_seconds, self.memory_mb + other.memory_mb)


class Processes:
    """Running processes by name; a context manager that ends them."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Write the output of processes to files in `folder`."""
        self._folder = folder
        self._environment = environment
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self._running.values():
            _end(process)

    def start(self, name: str, line: str, **environment: str) -> None:
        """Run a shell command, such as a line of the Procfile."""
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                ["/bin/sh", "-c", line],
                env={**self._environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, *names: str) -> None:
        """End processes together.

        Raises:
            ProcessEnded: a process had ended before.
        """
        self.check()
        stopping = [self._running.pop(name) for name in names]
        for process in stopping:
            process.terminate()
        for process in stopping:
            _end(process)

    def check(self) -> None:
        """Check that all processes are running.

        Raises:
            ProcessEnded: a process is not.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                lines = self._log(name).read_text(errors="replace").splitlines()[-15:]
                raise ProcessEnded("\n".join([f"{name} ended ({process.returncode}):", *lines]))

    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        return {name: process.pid for name, process in self._running.items()}

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def procfile_line(name: str) -> str:
    """Return the production command of a process."""
    return str(parse_procfile(PROCFILE.read_text(encoding="utf-8")).processes[name])


def free_port() -> int:
    """Return a port that is not in use."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def wait_for_port(port: int) -> None:
    """Wait until a process listens on a port.

    Raises:
        TimeoutError: none does.
    """
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise TimeoutError(f"no process listens on port {port}")


def usage_of(pids: Iterable[int]) -> Usage:
    """Return the resources of processes and all their children together."""
    return sum((_usage_of_tree(pid) for pid in pids), Usage())


def _usage_of_tree(pid: int) -> Usage:
    usage = Usage()
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                cpu_seconds = (
                    times.user + times.system + times.children_user + times.children_system
                )
                usage += Usage(cpu_seconds, process.memory_info().rss / 1e6)
    return usage


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # the process, or children that outlived it
    process.wait()
