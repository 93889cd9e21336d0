import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from config.files import ROOT
from standalone.errors import StandaloneError
from standalone.setup_lock import lock_path, setup_lock

PROCESSES = 4

SET_UP = """\
import sys, time
from pathlib import Path
from standalone.setup_lock import setup_lock

inside = Path(sys.argv[1])
for _ in range(5):
    with setup_lock():
        inside.touch(exist_ok=False)
        time.sleep(0.01)
        inside.unlink()
"""


@pytest.fixture(autouse=True)
def temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_setups_in_several_processes_run_one_after_another(tmp_path: Path) -> None:
    setups = [
        subprocess.Popen(
            [sys.executable, "-c", SET_UP, str(tmp_path / "inside")],
            env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    assert [setup.communicate(timeout=60)[1] for setup in setups] == [""] * PROCESSES
    assert [setup.returncode for setup in setups] == [0] * PROCESSES


def test_the_lock_file_is_private_and_stays_empty() -> None:
    for _ in range(2):
        with setup_lock():
            assert lock_path().stat().st_mode & 0o777 == 0o600
    assert lock_path().read_bytes() == b""


def test_the_lock_is_released_after_an_error() -> None:
    with pytest.raises(ValueError, match="failed"), setup_lock():
        raise ValueError("failed")
    with setup_lock():
        pass


def test_a_symbolic_link_is_refused_and_its_target_not_created(tmp_path: Path) -> None:
    target = tmp_path / "target"
    lock_path().symlink_to(target)
    with pytest.raises(StandaloneError, match="cannot be opened"), setup_lock():
        pass
    assert not target.exists()


def test_a_file_of_another_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    path = lock_path()
    path.touch()
    monkeypatch.setattr("standalone.setup_lock.lock_path", lambda: path)
    monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(StandaloneError, match="is not a file of this user"), setup_lock():
        pass


def test_a_named_pipe_is_refused_without_waiting_for_its_other_end() -> None:
    os.mkfifo(lock_path())
    with pytest.raises(StandaloneError, match="is not a file of this user"), setup_lock():
        pass
