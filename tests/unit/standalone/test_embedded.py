import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.files import ROOT

SET_UP = """\
import sys
from pathlib import Path
from standalone.data_directory import DataDirectory
from standalone.embedded import postgres_command

data = DataDirectory(Path(sys.argv[1]))
data.root.mkdir()
print(postgres_command(data).name)
data.remove_socket_directories()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL can enter: other pytest runs close those above `tmp_path`."""
    with tempfile.TemporaryDirectory(prefix="brazebee-") as made:
        yield Path(made)


@pytest.mark.long
def test_several_processes_can_set_up_a_cluster_at_once(folder: Path) -> None:
    folders = [folder / f"data{number}" for number in range(3)]
    setups = [
        subprocess.Popen(
            [sys.executable, "-c", SET_UP, str(data)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for data in folders
    ]
    assert [setup.communicate(timeout=100) for setup in setups] == [("postgres\n", "")] * 3
    assert all((data / "postgres" / "PG_VERSION").exists() for data in folders)
