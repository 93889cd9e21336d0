"""The embedded Redis: it is killed, its disk is interrupted, and others look at its files."""

import os
import signal
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import requests

from tests.support.product.brazebee_process import Brazebee, eventually

CLIENTS = 4
WITHOUT = {"evaluate": 0, "deliver": 0, "clock": 0, "dashboard": 0, "backtest": 0}
POWER_CUT = bytes(512)


@contextmanager
def posting(brazebee: Brazebee) -> Iterator[set[str]]:
    """Post events at once from several clients; yield the ids of those that are accepted."""
    accepted: set[str] = set()
    stopping = threading.Event()

    def post() -> None:
        while not stopping.is_set():
            try:
                answer = brazebee.track({"event_key": "login", "company": {"id": "a", "name": "A"}})
            except requests.RequestException:
                continue
            time.sleep(0.01)  # the other processes need the cores, too
            if answer.status_code == 200:
                accepted.add(answer.json()["event_id"])

    threads = [threading.Thread(target=post) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield accepted
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def latest_file(brazebee: Brazebee) -> Path:
    """Return the file that Redis writes to."""
    return max((brazebee.data_dir / "redis" / "appendonlydir").glob("*.incr.aof"))


def open_to_others(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if not path.is_relative_to(folder / "postgres") and stat.S_IMODE(path.stat().st_mode) & 0o77
    ]


@pytest.mark.long
def test_no_accepted_event_is_lost_by_kills_of_redis_and_a_power_cut(
    own_brazebee: Brazebee,
) -> None:
    own = own_brazebee
    own.start(persist=0, **WITHOUT)
    with redis.Redis.from_url(own.servers["REDIS_URL"]) as client:
        assert client.config_get("appendfsync") == {"appendfsync": "always"}
    assert "accepted events survive: a power cut" in own.text
    ready = requests.get(f"{own.base_url}/readyz", timeout=5).json()
    assert ready["accepted_events_survive"] == "a power cut"
    with posting(own) as accepted:
        for kills in (1, 2):
            before = len(accepted)
            eventually(lambda before=before: len(accepted) > before + 50)
            assert own.kill("redis")
            eventually(lambda kills=kills: own.text.count("redis ended (killed") == kills)
        before = len(accepted)
        eventually(lambda: len(accepted) > before + 50)
        assert open_to_others(own.data_dir) == []
        assert own.process is not None
        os.kill(own.process.pid, signal.SIGTERM)
        own.process.wait(30)

    with latest_file(own).open("ab") as file:
        file.write(POWER_CUT)
    own.start(**WITHOUT)
    assert f"the last {len(POWER_CUT)} bytes of {latest_file(own)}" in own.text
    eventually(lambda: accepted <= own.stored_event_ids())


@pytest.mark.parametrize("name", ["appendonly.aof", "written-by.json"])
def test_what_the_server_cannot_read_is_refused_at_once(tmp_path: Path, name: str) -> None:
    product = Brazebee(tmp_path)
    directory = product.data_dir / "redis"
    directory.mkdir(parents=True)
    contents = {
        "appendonly.aof": b"*1\r\n$4\r\nPING\r\n" + b"x" * 100 + b"*1\r\n$4\r\nPING\r\n",
        "written-by.json": b'{"name": "Valkey", "number": [99, 0]}',
    }
    (directory / name).write_bytes(contents[name])
    refused = product.run("up")
    assert refused.returncode == 1
    assert str(directory) in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (directory / name).read_bytes() == contents[name]
