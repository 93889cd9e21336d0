"""What `up` and the embedded Redis write, under the umask that is the most open."""

import os
import subprocess
import sys
from pathlib import Path

from config.files import ROOT

WRITE_ALL = """\
import os, sys
from pathlib import Path
from standalone.data_directory import DataDirectory, RunningInstance
from standalone.embedded import redis_command, redis_url
from standalone.leftovers import record_processes
from standalone.supervisor import Supervisor
from standalone.waiting import wait_for_redis

os.umask(0)
data = DataDirectory(Path(sys.argv[1]))
with data.claimed():
    data.secret_key()
    data.announce(RunningInstance(os.getpid(), "", {}))
    record_processes(data.processes, [])
    supervisor = Supervisor(os.environ)
    supervisor.start([redis_command(data)])
    wait_for_redis(redis_url(data))
    for path in [data.socket_directory("redis"), *data.root.rglob("*")]:
        print(oct(path.stat().st_mode & 0o777), path)
    supervisor.stop([["redis"]], seconds=10)
"""


def test_whatever_the_umask_nothing_is_open_to_other_users(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", WRITE_ALL, str(tmp_path / ("long" * 30))],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    modes = dict(reversed(line.split(" ", 1)) for line in shown.stdout.splitlines())
    names = {Path(path).name for path in modes}
    assert {"running.json", "secret-key", "processes.json", "redis.log"} <= names
    assert any(name.endswith(".incr.aof") for name in names)
    assert {path: mode for path, mode in modes.items() if int(mode, 8) & 0o77} == {}
