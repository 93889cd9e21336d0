"""Starting, stopping, and what a person reads meanwhile."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.brazebee_process import Brazebee, eventually


def test_the_curl_line_of_the_first_start_works_as_it_stands(own_brazebee: Brazebee) -> None:
    own_brazebee.start()
    assert own_brazebee.base_url in own_brazebee.text
    assert "Webhooks may go to 127.0.0.0/8" in own_brazebee.text
    [line] = [line for line in own_brazebee.output if line.startswith("curl ")]
    answer = subprocess.run(
        line + " --silent", shell=True, capture_output=True, text=True, check=True
    )
    assert '"success":true' in answer.stdout
    eventually(lambda: [c["id"] for c in own_brazebee.json("companies")] == ["company_123"])


def test_a_later_start_finds_everything_again_and_shows_no_key(own_brazebee: Brazebee) -> None:
    own_brazebee.start()
    own_brazebee.track({"event_key": "login", "company": {"id": "a", "name": "A"}})
    assert own_brazebee.stop() == 0
    own_brazebee.start()
    assert "bzb_" not in own_brazebee.text
    assert [c["id"] for c in own_brazebee.json("companies")] == ["a"]
    assert own_brazebee.track({"event_key": "login", "company": {"id": "b", "name": "B"}}).ok


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_no_process(own_brazebee: Brazebee, number: signal.Signals) -> None:
    own_brazebee.start()
    process = own_brazebee.process
    assert process is not None
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(started) > 8
    assert own_brazebee.stop(number) == 0
    _, alive = psutil.wait_procs(started, timeout=3)
    assert alive == []


def test_a_second_start_on_the_same_directory_refuses(brazebee: Brazebee) -> None:
    refused = brazebee.run("up")
    assert refused.returncode == 1
    assert "already running" in refused.stderr
    assert brazebee.base_url in refused.stderr


def test_two_run_side_by_side(brazebee: Brazebee, own_brazebee: Brazebee) -> None:
    own_brazebee.start("--scale", "persist=2,deliver=2")
    assert {"persist.1", "persist.2", "deliver.2", "evaluate.1"} < own_brazebee.pids().keys()
    for one in (brazebee, own_brazebee):
        assert requests.get(f"{one.base_url}/readyz", timeout=5).json()["status"] == "ready"


def test_after_a_kill_the_next_start_recovers_by_itself(own_brazebee: Brazebee) -> None:
    own_brazebee.start()
    leaders = own_brazebee.pids()
    own_brazebee.track({"event_key": "login", "company": {"id": "a", "name": "A"}})
    assert own_brazebee.stop(signal.SIGKILL) == -signal.SIGKILL
    own_brazebee.start()
    assert not set(leaders.values()) & set(own_brazebee.pids().values())
    eventually(lambda: [c["id"] for c in own_brazebee.json("companies")] == ["a"])


def test_a_taken_port_is_one_clear_sentence(own_brazebee: Brazebee) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", own_brazebee.port))
        taken.listen()
        refused = own_brazebee.run("up")
    assert refused.returncode == 1
    assert "Choose another with --port or PORT." in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "PostgreSQL does not answer"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "Redis does not answer"),
        ("DATABASE_URL", "mysql://somewhere", "must start with postgresql://"),
        ("BRAZEBEE_RATE_LIMIT", "many", "`many` is not a rate"),
    ],
)
def test_a_wrong_setting_is_one_clear_sentence(
    tmp_path: Path, variable: str, value: str, said: str
) -> None:
    refused = Brazebee(tmp_path, **{variable: value}).run("up")
    assert refused.returncode == 1
    assert said in refused.stderr
    assert variable in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr


def test_a_data_directory_that_cannot_be_made_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file is in the way")
    refused = Brazebee(tmp_path).run("up")
    assert refused.returncode == 2
    assert "is a file" in refused.stderr


@pytest.mark.parametrize("scale", ["persist", "persist=x", "nothing=2", "release=1"])
def test_a_wrong_scale_is_wrong_usage(brazebee: Brazebee, scale: str) -> None:
    refused = brazebee.run("up", "--scale", scale)
    assert refused.returncode == 2
    assert "NAME=NUMBER" in refused.stderr


def test_the_webs_process_ends_only_after_what_it_accepted_is_queued(
    own_brazebee: Brazebee,
) -> None:
    own_brazebee.start()
    accepted = 0
    process = own_brazebee.process
    assert process is not None
    while process.poll() is None:
        try:
            answer = own_brazebee.track({"event_key": "login", "company": {"id": "a", "name": "A"}})
        except requests.RequestException:
            continue
        accepted += answer.status_code == 200
        if accepted == 50:
            os.kill(process.pid, signal.SIGTERM)
    own_brazebee.start()
    assert accepted >= 50
    eventually(lambda: len(own_brazebee.stored_event_ids()) == accepted)
