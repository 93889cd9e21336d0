"""The short form of `make faults`: real processes, real faults, and an exact account."""

import subprocess
import sys

import pytest

from config.files import ROOT


@pytest.mark.long
@pytest.mark.timeout(260)
def test_nothing_is_lost_invented_or_wrong_while_processes_and_servers_fail() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "faults", "--brief"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            out, errors = process.communicate(timeout=220)  # a minute on a quiet machine
        except subprocess.TimeoutExpired:
            process.terminate()  # it stops all that it started
            out, errors = process.communicate()
    assert process.returncode == 0, out + errors[-3_000:]
    assert "0 differences" in out
