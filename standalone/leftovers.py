"""Records what `brazebee up` starts, so that the next start can end what survived a kill."""

import json
import os
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from standalone.private_files import write_private

STOP_SECONDS = 5.0
BOOT_TOLERANCE = 60.0
"""Seconds. The boot time is computed from a clock that may have been adjusted since."""


@dataclass(frozen=True)
class StartedProcess:
    """A session leader; `created` distinguishes it from a later process with the same pid."""

    name: str
    pid: int
    created: float
    stop_signal: int


def record_processes(file: Path, processes: Iterable[StartedProcess]) -> None:
    """Write the running processes to a file, replacing it atomically."""
    record = {
        "boot": psutil.boot_time(),
        "started": [asdict(process) for process in processes],
    }
    write_private(file, json.dumps(record))


def end_leftovers(file: Path, groups: Sequence[Sequence[str]]) -> int:
    """End the recorded processes that are still running, one group of names after another.

    Returns the number of processes ended, including children of the recorded ones.
    """
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        leaders = [StartedProcess(**fields) for fields in record["started"]]
    except (KeyError, OSError, TypeError, ValueError):
        return 0
    if abs(record["boot"] - psutil.boot_time()) > BOOT_TOLERANCE:
        return 0  # the machine has rebooted since, so these pids belong to other processes
    ended = 0
    for names in groups:
        members = [
            (process, leader.stop_signal)
            for leader in leaders
            if leader.name.split(".")[0] in names
            for process in _session_members(leader)
        ]
        for process, stop_signal in members:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(stop_signal)
        for process in _wait([process for process, _ in members]):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        _wait([process for process, _ in members])
        ended += len(members)
    file.unlink(missing_ok=True)
    return ended


def _session_members(leader: StartedProcess) -> list[psutil.Process]:
    """Return the running processes of a session; its id is not reused while one is alive."""
    with suppress(psutil.NoSuchProcess):
        if psutil.Process(leader.pid).create_time() != leader.created:
            return []
    return [
        process
        for process in psutil.process_iter()
        if _session_id(process) == leader.pid and _is_running(process)
    ]


def _wait(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Wait for processes that are not our children; return those that outlive `STOP_SECONDS`."""
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        running = [process for process in processes if _is_running(process)]
        if not running or time.monotonic() > deadline:
            return running
        time.sleep(0.05)


def _is_running(process: psutil.Process) -> bool:
    try:
        # A zombie has ended; reaping it is its parent's business.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _session_id(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None
