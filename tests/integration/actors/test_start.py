"""The processes as the Procfile starts them, with a PostgreSQL that cannot be used or is away."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from config.settings import Settings
from tests.support.ports import free_port
from tests.support.product.procfile_lines import WORKERS, in_long_tests, running_line
from tests.support.product.servers import Servers

RUNNING = ["dashboard", *in_long_tests(*WORKERS, "clock")]
"""Each takes a second of CPU to start; they open the database in the same way."""


@pytest.fixture
def ports() -> dict[str, str]:
    return {"PORT": str(free_port()), "BRAZEBEE_DASHBOARD_PORT": str(free_port())}


@pytest.fixture
def latin1(settings: Settings, servers: Servers) -> Iterator[Settings]:
    """Settings for a database that cannot hold every character."""
    servers.execute("create database latin1 encoding 'LATIN1' locale 'C' template template0")
    yield replace(settings, database_url=servers.database_url("latin1"))
    servers.execute("drop database latin1 with (force)")


@pytest.mark.parametrize("name", ["release", *RUNNING])
def test_a_process_refuses_a_database_that_cannot_hold_every_character(
    name: str, latin1: Settings, tmp_path: Path, ports: dict[str, str]
) -> None:
    log = tmp_path / "log"
    with running_line(name, latin1, log, **ports) as process:
        assert process.wait(20) != 0
    written = log.read_text()
    assert "has the encoding LATIN1" in written
    assert "Traceback" not in written


def test_a_start_of_everything_refuses_it_too(
    latin1: Settings, tmp_path: Path, ports: dict[str, str]
) -> None:
    environment = {
        **os.environ,
        **ports,
        "DATABASE_URL": latin1.database_url,
        "REDIS_URL": latin1.redis_url,
        "BRAZEBEE_DATA_DIR": str(tmp_path / "data"),
    }
    brazebee = Path(sys.executable).parent / "brazebee"
    refused = subprocess.run(
        [brazebee, "up"], env=environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "has the encoding LATIN1" in refused.stderr
    assert refused.stderr.strip().count("\n") == 0


def test_the_ingress_starts_with_such_a_database_and_says_that_it_cannot_use_it(
    latin1: Settings, tmp_path: Path, ports: dict[str, str]
) -> None:
    log, base = tmp_path / "log", f"http://127.0.0.1:{ports['PORT']}"
    with running_line("web", latin1, log, **ports, WEB_CONCURRENCY="1"):
        answer = _eventually_answers(f"{base}/readyz")
        assert answer.json()["status"] == "degraded"
        assert answer.json()["checks"] == {"redis": "ok", "postgres": "down"}
        refused = requests.post(
            f"{base}/v1/track", headers={"x-api-key": "bzb_x"}, json={}, timeout=5
        )
        assert refused.status_code == 503
    assert "has the encoding LATIN1" in log.read_text()


@pytest.mark.parametrize("name", RUNNING)
def test_a_process_starts_without_postgresql(
    name: str, settings: Settings, tmp_path: Path, ports: dict[str, str]
) -> None:
    away = replace(settings, database_url="postgresql://nobody@127.0.0.1:1/nowhere")
    with running_line(name, away, tmp_path / "log", **ports) as process:
        if name == "dashboard":
            answer = _eventually_answers(
                f"http://127.0.0.1:{ports['BRAZEBEE_DASHBOARD_PORT']}/readyz"
            )
            assert answer.status_code == 503
        else:
            time.sleep(1)
        assert process.poll() is None, (tmp_path / "log").read_text()


def _eventually_answers(url: str) -> requests.Response:
    deadline = time.monotonic() + 20
    while True:
        try:
            return requests.get(url, timeout=2)
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
