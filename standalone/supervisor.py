"""Runs processes side by side: prefixes their output, restarts those that end, stops them all.

honcho reads the Procfile and prints the output. Its own manager is not used: it would end every
process as soon as one ends, but a killed worker has to be restarted.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import psutil
from honcho.colour import get_colours
from honcho.printer import Message, Printer

from standalone.leftovers import StartedProcess, record_processes
from standalone.private_files import UMASK

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
STEADY_AFTER = 30.0
"""Seconds. An ended process is restarted after a pause, which doubles with each restart until the
process has run for `STEADY_AFTER`."""

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT


@dataclass(frozen=True)
class Command:
    """A process to run: shell text or a list of arguments.

    Its output goes to `log_file` instead of our own; `user` runs it as another system user.
    `why_ended` returns what it said about its end, or an empty text.
    """

    name: str
    arguments: str | Sequence[str]
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    log_file: Path | None = None
    why_ended: Callable[[], str] | None = None


class Supervisor:
    """A set of running processes. Not safe for use by several threads."""

    def __init__(
        self, environment: Mapping[str, str], *, record: Path | None = None, width: int = 10
    ) -> None:
        """Record the running processes in the file `record`, for `end_leftovers`."""
        self._environment = environment
        self._record = record
        self._processes: list[_Process] = []
        self._printer = Printer(sys.stdout, width=width)
        self._colours = get_colours()
        self._printing = threading.Lock()

    def start(self, commands: Iterable[Command]) -> None:
        """Start processes, in order."""
        for command in commands:
            process = _Process(command, self._environment, next(self._colours), self._print)
            process.start()
            self._processes.append(process)
            self._record_processes()

    def log(self, line: str) -> None:
        """Print a line of `brazebee` itself."""
        self._print("brazebee", line, None)

    def restart_ended(self) -> None:
        """Restart the processes that have ended and waited out their pause; call this often."""
        for process in self._processes:
            reason = process.restart_if_ended()
            if reason:
                self._record_processes()
                self.log(f"{process.command.name} ended ({reason}) and was restarted")

    def failed(self, name: str) -> str | None:
        """Return how the process of a name ended, if it ended by itself with an error."""
        for process in self._processes:
            if process.command.name == name and process.failed():
                return process.how_ended()
        return None

    def running(self) -> list[StartedProcess]:
        """Return the processes that were started and not stopped."""
        return [process.started() for process in self._processes]

    def stop(self, groups: Sequence[Sequence[str]], seconds: float) -> None:
        """Stop the processes named in each group together, one group after another.

        Processes that have not ended after `seconds` are killed. `persist` includes `persist.1`,
        `persist.2` and so on.
        """
        for names in groups:
            group = [p for p in self._processes if p.command.name.split(".")[0] in names]
            for process in group:
                process.send_stop_signal()
            deadline = time.monotonic() + seconds
            for process in group:
                if not process.wait(deadline - time.monotonic()):
                    self.log(f"{process.command.name} did not stop in time and was killed")
            self._processes = [p for p in self._processes if p not in group]
            self._record_processes()

    def _record_processes(self) -> None:
        if self._record:
            try:
                record_processes(self._record, self.running())
            except OSError as error:
                self.log(f"{self._record} cannot be written: {error.strerror}")

    def _print(self, name: str, line: str, colour: object) -> None:
        with self._printing:
            try:
                self._printer.write(
                    Message("line", line, datetime.now().astimezone(), name, colour)
                )
            except (OSError, ValueError):
                sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 -- the reader is gone
                self._printer.output = sys.stdout


class _Process:
    def __init__(
        self, command: Command, environment: Mapping[str, str], colour: object, write: object
    ) -> None:
        self.command = command
        self._environment = environment
        self._colour = colour
        self._write = write
        self._pause = FIRST_PAUSE
        self._started_at = 0.0
        self._ended_at: float | None = None

    def start(self) -> None:
        log: IO[bytes] | int = subprocess.PIPE
        if self.command.log_file:
            log = os.fdopen(os.open(self.command.log_file, _APPEND, 0o600), "ab")
        self._popen = subprocess.Popen(
            self.command.arguments,
            shell=isinstance(self.command.arguments, str),
            env=dict(self._environment),
            cwd="/" if self.command.user else None,
            user=self.command.user,
            group=self.command.user,
            extra_groups=[] if self.command.user else None,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            umask=UMASK,
            start_new_session=True,  # Ctrl-C reaches only us, and we stop the others in order
        )
        self._started_at = time.monotonic()
        self._ended_at = None
        if isinstance(log, int):
            threading.Thread(target=self._relay, args=(self._popen.stdout,), daemon=True).start()
        else:
            log.close()

    def restart_if_ended(self) -> str | None:
        """Restart the process if it has ended, and return how it ended; None if not restarted."""
        if self._popen.poll() is None:
            return None
        now = time.monotonic()
        if self._ended_at is None:
            self._ended_at = now
            steady = now - self._started_at > STEADY_AFTER
            self._pause = FIRST_PAUSE if steady else min(2 * self._pause, LONGEST_PAUSE)
            _signal_group(self._popen.pid, signal.SIGKILL)  # children that outlived it
        if now - self._ended_at < self._pause:
            return None
        how = self.how_ended()
        self.start()
        return how

    def failed(self) -> bool:
        return (self._popen.poll() or 0) > 0

    def how_ended(self) -> str:
        code = self._popen.returncode
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        why = self.command.why_ended() if self.command.why_ended else ""
        return f"exit code {code}: {why}" if why else f"exit code {code}"

    def started(self) -> StartedProcess:
        try:
            created = psutil.Process(self._popen.pid).create_time()
        except psutil.NoSuchProcess:
            created = 0.0  # the process has ended; no process with its pid was created then
        return StartedProcess(self.command.name, self._popen.pid, created, self.command.stop_signal)

    def send_stop_signal(self) -> None:
        if self._popen.poll() is None:
            self._popen.send_signal(self.command.stop_signal)

    def wait(self, seconds: float) -> bool:
        """Wait for the process, then kill its group; return False if it did not end in time."""
        try:
            self._popen.wait(max(0.0, seconds))
            in_time = True
        except subprocess.TimeoutExpired:
            in_time = False
        _signal_group(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        return in_time

    def _relay(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                text = line.decode("utf-8", "replace").rstrip()
                if text:
                    self._write(self.command.name, text, self._colour)  # type: ignore[operator]


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (PermissionError, ProcessLookupError):
        return  # no process is left in the group
