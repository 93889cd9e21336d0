"""Remembers what an `up` has started, so that the next one can end what a kill left running."""

import json
import os
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

STOP_SECONDS = 5.0
BOOT_TOLERANCE = 60.0
"""Seconds: the time of the boot is reckoned back from a clock that may be set."""


@dataclass(frozen=True)
class Started:
    """A process that leads a session of its own; `created` tells it from a later one of its pid."""

    name: str
    pid: int
    created: float
    stop_signal: int


def remember(file: Path, started: Iterable[Started]) -> None:
    """Write down what runs now."""
    written = file.with_suffix(".new")
    running = {"boot": psutil.boot_time(), "started": [asdict(one) for one in started]}
    written.write_text(json.dumps(running), encoding="utf-8")
    written.replace(file)


def end_leftovers(file: Path, groups: Sequence[Sequence[str]]) -> int:
    """End what was written down and still runs, one group of names after another.

    Returns how many processes there were, the children of those written down included.
    """
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
        started = [Started(**one) for one in written["started"]]
    except (KeyError, OSError, TypeError, ValueError):
        return 0
    if abs(written["boot"] - psutil.boot_time()) > BOOT_TOLERANCE:
        return 0  # the machine was started again since; these numbers are other processes now
    ended = 0
    for names in groups:
        members = [
            (process, one.stop_signal)
            for one in started
            if one.name.split(".")[0] in names
            for process in _session(one)
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


def _session(leader: Started) -> list[psutil.Process]:
    """The processes of a session. Its number is not given away while one of them lives."""
    with suppress(psutil.NoSuchProcess):
        if psutil.Process(leader.pid).create_time() != leader.created:
            return []
    return [
        process
        for process in psutil.process_iter()
        if _session_id(process) == leader.pid and _runs(process)
    ]


def _wait(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Wait for processes that are not our children; those that still run after `STOP_SECONDS`."""
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        running = [process for process in processes if _runs(process)]
        if not running or time.monotonic() > deadline:
            return running
        time.sleep(0.05)


def _runs(process: psutil.Process) -> bool:
    try:
        # A zombie has ended; whether anybody collects it is not ours to wait for.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _session_id(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None
