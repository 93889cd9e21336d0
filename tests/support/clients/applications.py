"""Runs applications that use the clients, and kills them."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.files import ROOT

PYTHON = [sys.executable, str(ROOT / "tests/support/clients/tracking.py")]
NODE = ["node", str(ROOT / "tests/support/clients/tracking.js")]


@dataclass
class Applications:
    """Applications in one language that share a spool."""

    command: Sequence[str]
    url: str
    key: str
    spool: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("BRAZEBEE_")},
            "PYTHONPATH": str(ROOT / "clients/python/src"),
            "BRAZEBEE_URL": self.url,
            "BRAZEBEE_API_KEY": self.key,
            "BRAZEBEE_SPOOL_DIR": str(self.spool),
        }

    def begin(self, form: str, number: int = 0) -> subprocess.Popen[bytes]:
        """Start an application."""
        return subprocess.Popen(
            [*self.command, form, str(number)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # or `communicate` misses what was read with the first line
        )

    def run(self, form: str, number: int) -> list[str]:
        """Run an application to its end; return the ids of the events that it tracked."""
        with self.begin(form, number) as process:
            out, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
        assert b"Traceback" not in errors, errors.decode()
        return out.decode().split()

    def refused(self) -> list[Path]:
        """Return the files of the spool with refused and with unreadable events."""
        return [path for path in self.spool.iterdir() if path.is_file()]

    def run_until_killed(self, randomly: random.Random, longest: float = 0.15) -> list[str]:
        """Kill -9 an application while it tracks; return the ids of the calls that returned."""
        with self.begin("endless") as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(randomly.uniform(0, longest))
            process.send_signal(signal.SIGKILL)
            out, _ = process.communicate(timeout=60)
        lines = (first + out).decode().split("\n")
        return lines[:-1]  # each is written in one piece, and the last one is empty
