"""Runs `brazebee` commands in forks of a process that has imported all of them.

Importing takes most of the time of a short command, and the acceptance tests run hundreds. Each
command still runs in a process of its own, with its own environment, arguments and output.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

import click

BRAZEBEE = f"{os.path.dirname(sys.executable)}/brazebee"  # noqa: PTH120 -- a fast import


class CommandTimeout(Exception):
    """Raised when a command has not ended in time; it was killed."""


class CommandServer:
    """A client of one server process, which starts with the first command."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        given: str = "",
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run `brazebee` with these arguments, `given` on standard input; return what it printed.

        Raises:
            CommandTimeout: the command took longer than `timeout` seconds.
        """
        request = {
            "arguments": [*arguments],
            "environment": {**environment},
            "given": given,
            "timeout": timeout,
        }
        with self._lock:
            process = self._process or self._start()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
        if answer["returncode"] is None:
            raise CommandTimeout(f"brazebee {' '.join(arguments)} took over {timeout} s")
        return subprocess.CompletedProcess([BRAZEBEE, *arguments], **answer)

    def _start(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.product.command_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self._process

    def close(self) -> None:
        if self._process is not None:
            with self._process:  # closes its input, at which it ends
                pass
            self._process = None


def serve() -> None:
    """Run the commands that come as lines of standard input, one after another."""
    from cli.main import main  # noqa: PLC0415 -- only the server imports the commands

    _import_all(main)
    for line in sys.stdin:
        print(json.dumps(_run_in_fork(main, **json.loads(line))), flush=True)  # noqa: T201


def _import_all(command: click.Command) -> None:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            assert subcommand is not None
            _import_all(subcommand)


def _run_in_fork(
    main: click.Command,
    *,
    arguments: list[str],
    environment: dict[str, str],
    given: str,
    timeout: float,
) -> dict[str, Any]:
    with (
        tempfile.TemporaryFile("w+") as into,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        into.write(given)
        into.seek(0)
        pid = os.fork()
        if pid == 0:
            _run(main, arguments, environment, into, out, err)
        status = _wait(pid, timeout)
        out.seek(0)
        err.seek(0)
        return {"returncode": status, "stdout": out.read(), "stderr": err.read()}


def _run(
    main: click.Command,
    arguments: list[str],
    environment: dict[str, str],
    into: IO[str],
    out: IO[str],
    err: IO[str],
) -> None:
    """Run a command in this process, a fork, and end it."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [BRAZEBEE, *arguments]
    os.dup2(into.fileno(), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    code = 1
    try:
        main(prog_name="brazebee")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException as error:  # noqa: BLE001 -- as the interpreter does
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(pid: int, timeout: float) -> int | None:
    """Return the exit code of a process; None if it was killed because it took too long."""
    deadline = time.monotonic() + timeout
    pause = 0.002
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None
        time.sleep(pause)
        pause = min(0.02, 2 * pause)


if __name__ == "__main__":
    serve()
