"""Runs processes side by side: prefixes what they print, starts again those that end, stops all.

honcho reads the Procfile and prints; its own manager would end every process as soon as one
ends, and here a killed worker must come back.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import psutil
from honcho.colour import get_colours
from honcho.printer import Message, Printer

from standalone.leftovers import Started, remember

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
STEADY_AFTER = 30.0
"""Seconds: a process that ends is started again after a pause, which doubles each time until
one has run this long."""


@dataclass(frozen=True)
class Command:
    """A process to run: shell text or a list of arguments.

    `log_file` takes its output instead of ours; `user` runs it as another user.
    """

    name: str
    arguments: str | Sequence[str]
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    log_file: Path | None = None


class Supervisor:
    """A set of running processes. Not to be used from several threads at once."""

    def __init__(
        self, environment: Mapping[str, str], *, record: Path | None = None, width: int = 10
    ) -> None:
        """`record` is the file that what runs is written down in, for `end_leftovers`."""
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
            self._remember()

    def say(self, line: str) -> None:
        """Print a line of our own."""
        self._print("brazebee", line, None)

    def restart_ended(self) -> None:
        """Start again what has ended and waited out its pause; call this every moment or so."""
        for process in self._processes:
            ended = process.restart_if_ended()
            if ended:
                self._remember()
                self.say(f"{process.command.name} ended ({ended}) and was started again")

    def stop(self, groups: Sequence[Sequence[str]], seconds: float) -> None:
        """Stop the processes named in each group together, one group after another.

        What has not ended after `seconds` is killed. A name stands for its numbered processes.
        """
        for names in groups:
            group = [p for p in self._processes if p.command.name.split(".")[0] in names]
            for process in group:
                process.ask_to_stop()
            deadline = time.monotonic() + seconds
            for process in group:
                if not process.wait(deadline - time.monotonic()):
                    self.say(f"{process.command.name} did not stop in time and was killed")
            self._processes = [p for p in self._processes if p not in group]
            self._remember()

    def _remember(self) -> None:
        if self._record:
            try:
                remember(self._record, [process.as_started() for process in self._processes])
            except OSError as error:
                self.say(f"{self._record} cannot be written: {error.strerror}")

    def _print(self, name: str, line: str, colour: object) -> None:
        with self._printing:
            try:
                self._printer.write(
                    Message("line", line, datetime.now().astimezone(), name, colour)
                )
            except (OSError, ValueError):
                sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 -- nobody reads us any more
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
            log = self.command.log_file.open("ab")
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
            start_new_session=True,  # so that Ctrl-C reaches us alone, and we stop all in order
        )
        self._started_at = time.monotonic()
        self._ended_at = None
        if isinstance(log, int):
            threading.Thread(target=self._relay, args=(self._popen.stdout,), daemon=True).start()
        else:
            log.close()

    def restart_if_ended(self) -> str | None:
        """How the process ended, if it did and is running again."""
        code = self._popen.poll()
        if code is None:
            return None
        now = time.monotonic()
        if self._ended_at is None:
            self._ended_at = now
            steady = now - self._started_at > STEADY_AFTER
            self._pause = FIRST_PAUSE if steady else min(2 * self._pause, LONGEST_PAUSE)
            _signal_group(self._popen.pid, signal.SIGKILL)  # children that outlived it
        if now - self._ended_at < self._pause:
            return None
        self.start()
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def as_started(self) -> Started:
        try:
            created = psutil.Process(self._popen.pid).create_time()
        except psutil.NoSuchProcess:
            created = 0.0  # it has ended; nothing has this pid and was created then
        return Started(self.command.name, self._popen.pid, created, self.command.stop_signal)

    def ask_to_stop(self) -> None:
        if self._popen.poll() is None:
            self._popen.send_signal(self.command.stop_signal)

    def wait(self, seconds: float) -> bool:
        """Wait for the process; False if it, or a child of its, had to be killed."""
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
        return  # nobody is left in it
