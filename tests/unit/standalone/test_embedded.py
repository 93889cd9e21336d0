import os
import subprocess
import sys
from pathlib import Path

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


def test_several_processes_can_set_up_a_cluster_at_once(tmp_path: Path) -> None:
    folders = [tmp_path / f"data{number}" for number in range(3)]
    setups = [
        subprocess.Popen(
            [sys.executable, "-c", SET_UP, str(folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]
    assert [setup.communicate(timeout=100) for setup in setups] == [("postgres\n", "")] * 3
    assert all((folder / "postgres" / "PG_VERSION").exists() for folder in folders)
