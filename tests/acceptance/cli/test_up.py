"""Starting and stopping everything, and the output meanwhile."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.product.brazebee_process import Brazebee, eventually


def stops_without_leaving_a_process(brazebee: Brazebee, number: signal.Signals) -> bool:
    process = brazebee.process
    assert process is not None
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(started) > 8
    assert brazebee.stop(number) == 0
    _, alive = psutil.wait_procs(started, timeout=3)
    return not alive


def test_later_starts_find_everything_again_after_ctrl_c_and_after_a_kill(
    own_brazebee: Brazebee,
) -> None:
    own_brazebee.start()
    assert own_brazebee.base_url in own_brazebee.text
    assert "Webhooks may go to 127.0.0.0/8" in own_brazebee.text
    [line] = [line for line in own_brazebee.output if line.startswith("curl ")]
    answer = subprocess.run(
        line + " --silent", shell=True, capture_output=True, text=True, check=True
    )
    assert '"success":true' in answer.stdout
    eventually(lambda: [c["id"] for c in own_brazebee.json("companies")] == ["company_123"])
    own_brazebee.track({"event_key": "login", "company": {"id": "a", "name": "A"}})
    assert stops_without_leaving_a_process(own_brazebee, signal.SIGINT)

    own_brazebee.start()
    assert "bzb_" not in own_brazebee.text
    assert {c["id"] for c in own_brazebee.json("companies")} == {"a", "company_123"}
    leaders = own_brazebee.pids()
    assert own_brazebee.track({"event_key": "login", "company": {"id": "b", "name": "B"}}).ok
    assert own_brazebee.stop(signal.SIGKILL) == -signal.SIGKILL

    own_brazebee.start()
    assert not set(leaders.values()) & set(own_brazebee.pids().values())
    eventually(
        lambda: {c["id"] for c in own_brazebee.json("companies")} == {"a", "b", "company_123"}
    )
    assert stops_without_leaving_a_process(own_brazebee, signal.SIGTERM)


def test_a_second_start_on_the_same_directory_refuses(brazebee: Brazebee) -> None:
    refused = brazebee.run("up")
    assert refused.returncode == 1
    assert "already running" in refused.stderr
    assert brazebee.base_url in refused.stderr


def test_two_run_side_by_side(brazebee: Brazebee, own_brazebee: Brazebee) -> None:
    own_brazebee.start(persist=2, deliver=2, dashboard=0, clock=0)
    assert {"persist.1", "persist.2", "deliver.2", "evaluate.1"} < own_brazebee.pids().keys()
    for running in (brazebee, own_brazebee):
        assert requests.get(f"{running.base_url}/readyz", timeout=5).json()["status"] == "ready"


def test_a_port_in_use_is_reported_in_one_sentence(own_brazebee: Brazebee) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", own_brazebee.port))
        taken.listen()
        refused = own_brazebee.run("up")
    assert refused.returncode == 1
    assert "Choose another with --port or PORT." in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "PostgreSQL does not answer"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "Redis does not answer"),
        ("DATABASE_URL", "mysql://somewhere", "must start with postgresql://"),
        ("BRAZEBEE_RATE_LIMIT", "many", "`many` is not a rate"),
    ],
)
def test_an_invalid_setting_is_reported_in_one_sentence(
    tmp_path: Path, variable: str, value: str, message: str
) -> None:
    refused = Brazebee(tmp_path, **{variable: value}).run("up")
    assert refused.returncode == 1
    assert message in refused.stderr
    assert variable in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr


def test_an_unusable_data_directory_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file is in the way")
    refused = Brazebee(tmp_path).run("up")
    assert refused.returncode == 2
    assert "is a file" in refused.stderr


@pytest.mark.parametrize("scale", ["persist", "persist=x", "nothing=2", "release=1"])
def test_an_invalid_scale_is_wrong_usage(brazebee: Brazebee, scale: str) -> None:
    refused = brazebee.run("up", "--scale", scale)
    assert refused.returncode == 2
    assert "NAME=NUMBER" in refused.stderr


def test_queued_events_outlast_the_end_of_redis_and_of_the_web_process(
    own_brazebee: Brazebee,
) -> None:
    without = {"evaluate": 0, "deliver": 0, "clock": 0, "dashboard": 0}
    own_brazebee.start(persist=0, **without)
    accepted = 0
    for _ in range(50):
        answer = own_brazebee.track({"event_key": "login", "company": {"id": "a", "name": "A"}})
        accepted += answer.status_code == 200
    time.sleep(2.5)  # Redis may keep what it accepts in memory for up to two seconds
    assert own_brazebee.kill("redis")
    eventually(lambda: "redis ended" in own_brazebee.text)

    process = own_brazebee.process
    assert process is not None
    while process.poll() is None:
        try:
            answer = own_brazebee.track({"event_key": "login", "company": {"id": "a", "name": "A"}})
        except requests.RequestException:
            continue
        accepted += answer.status_code == 200
        if accepted == 100:
            os.kill(process.pid, signal.SIGTERM)
    own_brazebee.start(**without)
    assert accepted >= 100
    eventually(lambda: len(own_brazebee.stored_event_ids()) == accepted)
