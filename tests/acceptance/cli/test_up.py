"""Starting everything, and what is refused."""

import socket
from pathlib import Path

import pytest
import requests

from tests.support.product.brazebee_process import Brazebee


def test_a_second_start_on_the_same_directory_refuses(brazebee: Brazebee) -> None:
    refused = brazebee.run("up")
    assert refused.returncode == 1
    assert "already running" in refused.stderr
    assert brazebee.base_url in refused.stderr


@pytest.mark.thorough
def test_two_run_side_by_side(brazebee: Brazebee, own_brazebee: Brazebee) -> None:
    taken = str(brazebee.dashboard_port)
    own_brazebee.environment["BRAZEBEE_DASHBOARD_PORT"] = taken
    own_brazebee.start(evaluate=2, persist=0, deliver=0, dashboard=0, clock=0)
    assert "The dashboard is at" not in own_brazebee.text
    names = {"redis", "postgres", "web.1", "evaluate.1", "evaluate.2"}
    assert own_brazebee.pids().keys() == names
    for running in (brazebee, own_brazebee):
        assert requests.get(f"{running.base_url}/readyz", timeout=5).json()["status"] == "ready"


@pytest.mark.parametrize(
    ("variable", "option"),
    [("PORT", "--port or PORT"), ("BRAZEBEE_DASHBOARD_PORT", "--dashboard-port or BRAZE")],
)
def test_a_port_in_use_is_reported_in_one_sentence(
    own_brazebee: Brazebee, variable: str, option: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(own_brazebee.environment[variable])))
        taken.listen()
        refused = own_brazebee.run("up")
    assert refused.returncode == 1
    assert f"Choose another with {option}" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_ingress_and_dashboard_cannot_listen_on_one_port(own_brazebee: Brazebee) -> None:
    refused = own_brazebee.run("up", "--dashboard-port", str(own_brazebee.port))
    assert refused.returncode == 1
    assert refused.stderr == f"The dashboard needs its own port, not {own_brazebee.port} too.\n"


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
