"""The short form of `make faults`: real processes, real faults, and an exact account."""

import subprocess
import sys

import pytest

from config.files import ROOT


@pytest.mark.timeout(240)
def test_nothing_is_lost_invented_or_wrong_while_processes_and_servers_fail() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "faults", "--brief"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=220,  # it takes a minute on a quiet machine
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3_000:]
    assert "0 differences" in done.stdout
