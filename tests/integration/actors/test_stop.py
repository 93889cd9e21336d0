"""Every process of the Procfile stops in order, however many signals come."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
import requests

from config.settings import Settings
from config.stop_signals import StopRequest
from queues import dramatiq_layout
from tests.support.ports import free_port
from tests.support.product.procfile_lines import WORKERS, in_long_tests, running_line
from tests.support.product.signals import signal_all, with_workers

LINES = ["persist", *in_long_tests("web", "dashboard", *WORKERS[1:], "clock")]

PROCESSES = {"persist": 2, "evaluate": 1, "deliver": 1, "backtest": 1}


def until(ready: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/livez", timeout=1).ok
    except requests.RequestException:
        return False


@pytest.mark.timeout(90)
@pytest.mark.parametrize("name", LINES)
def test_a_process_that_gets_many_signals_stops_with_success(
    name: str, settings: Settings, tmp_path: Path
) -> None:
    port, dashboard_port = free_port(), free_port()
    ports = {"PORT": str(port), "BRAZEBEE_DASHBOARD_PORT": str(dashboard_port)}
    log = tmp_path / "log"
    with (
        redis.Redis.from_url(settings.redis_url) as client,
        running_line(name, settings, log, **ports) as process,
    ):
        if name in PROCESSES:
            key = dramatiq_layout.heartbeats_key(dramatiq_layout.NAMESPACE)
            before = client.zcard(key)
            until(lambda: client.zcard(key) - before >= PROCESSES[name])
        elif name == "clock":
            time.sleep(3)
        else:
            until(lambda: is_alive(port if name == "web" else dashboard_port))
        began = time.monotonic()
        signal_all(with_workers(process.pid), 3, seed=len(name))
        assert process.wait(20) == 0, log.read_text()
        assert time.monotonic() - began < 10
    assert "Traceback" not in log.read_text()


def test_a_request_to_stop_is_noted_though_one_is_being_noted() -> None:
    request = StopRequest()
    began = time.monotonic()
    assert not request.wait(0.06)
    assert time.monotonic() - began >= 0.06
    request.note(15, None)
    request.note(2, None)
    assert request.is_set()
    assert request.wait(60)
