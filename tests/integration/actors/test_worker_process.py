"""The worker processes as the Procfile starts them."""

import time
from pathlib import Path

import psutil
import pytest

from config.settings import Settings
from tests.support.product.procfile_lines import WORKERS, running_line


def wait_for_child(process: psutil.Process, seconds: float = 10) -> psutil.Process:
    deadline = time.monotonic() + seconds
    while not (children := process.children()):
        assert time.monotonic() < deadline, f"no child after {seconds} seconds"
        time.sleep(0.01)
    return children[0]


@pytest.mark.parametrize("name", WORKERS)
def test_a_process_exits_at_once_when_its_worker_is_killed_during_startup(
    name: str, settings: Settings, tmp_path: Path
) -> None:
    """Dramatiq waits 30 seconds, by default, for workers that never report that they started."""
    log = tmp_path / "log"
    with running_line(name, settings, log) as process:
        wait_for_child(psutil.Process(process.pid)).kill()
        assert process.wait(10) != 0, log.read_text()
