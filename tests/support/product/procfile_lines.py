"""A process of the Procfile, by itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from honcho.environ import parse_procfile

from config.files import PROCFILE, ROOT
from config.settings import Settings

WORKERS = (
    "persist",
    pytest.param("evaluate", marks=pytest.mark.thorough),
    pytest.param("deliver", marks=pytest.mark.thorough),
    pytest.param("backtest", marks=pytest.mark.thorough),
)
"""The lines of workers, as parameters of tests. They differ in their options only."""


def in_long_tests(*lines: Any) -> list[Any]:
    """Return lines as parameters of long tests, unless they are for thorough ones already."""
    return [
        pytest.param(line, marks=pytest.mark.long) if isinstance(line, str) else line
        for line in lines
    ]


@contextmanager
def running_line(
    name: str, settings: Settings, log: Path, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process of the Procfile on the servers of these settings, and stop it afterwards."""
    line = parse_procfile(PROCFILE.read_text(encoding="utf-8")).processes[name]
    process_environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("BRAZEBEE_")},
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "BRAZEBEE_SECRET_KEY": settings.secret_keys[0],
        "BRAZEBEE_WEBHOOK_ALLOW_NETS": "127.0.0.0/8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(ROOT),
        **environment,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", line],
            env=process_environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
