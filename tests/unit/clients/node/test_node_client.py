"""The client for Node: its own tests, and real processes that end in every way."""

import json
import random
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from config.files import ROOT
from tests.support.clients.applications import NODE, Applications
from tests.support.clients.node import needs_node
from tests.support.clients.recorder import Recorder, recording
from tests.support.product.brazebee_process import eventually

CLIENT = ROOT / "clients/node"

NOWHERE = "http://127.0.0.1:1"


@needs_node
def test_the_tests_of_the_package_pass() -> None:
    done = subprocess.run(
        ["node", "--test"], cwd=CLIENT, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout[-5_000:]
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed
    assert int(passed[1]) > 50


def test_both_packages_have_one_version_and_no_dependency() -> None:
    node = json.loads((CLIENT / "package.json").read_text())
    python = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())["project"]
    assert node["version"] == python["version"]
    assert node["name"] == python["name"]
    assert "dependencies" not in node
    assert python["dependencies"] == []
    version = (ROOT / "clients/python/src/brazebee_client/version.py").read_text()
    assert f'"{node["version"]}"' in version


@pytest.fixture
def applications(tmp_path: Path) -> Applications:
    return Applications(NODE, NOWHERE, "bzb_key", tmp_path / "spool")


def send_the_rest(applications: Applications, recorder: Recorder) -> list[str]:
    """Run one more application, which sends what the others left; return its ids."""
    applications.url = recorder.url
    ids: list[str] = []

    def is_empty() -> bool:
        ids.extend(applications.run("to_its_end", 1))
        return not list(applications.spool.glob("js-*"))

    eventually(is_empty)
    return ids


@pytest.mark.thorough
@needs_node
def test_killed_applications_lose_no_event_of_which_the_call_returned(
    applications: Applications,
) -> None:
    randomly = random.Random(19)
    with recording() as recorder:
        applications.url = recorder.url
        ids = [i for _ in range(3) for i in applications.run_until_killed(randomly)]
        ids += applications.run("without_sending", 20)
        send_the_rest(applications, recorder)
        accepted = recorder.accepted_ids
    assert len(ids) > 23
    assert set(ids) - set(accepted) == set()
    assert len(accepted) - len(set(accepted)) <= 3 * 100  # the batch whose answer was cut off


@needs_node
@pytest.mark.parametrize(
    "form",
    ["to_its_end", "in_cluster", pytest.param("in_worker_threads", marks=pytest.mark.thorough)],
)
def test_applications_that_end_by_themselves_have_sent_everything_once(
    applications: Applications, form: str
) -> None:
    with recording() as recorder:
        applications.url = recorder.url
        ids = applications.run(form, 120)
        assert sorted(recorder.accepted_ids) == sorted(ids)
        assert len(ids) == {"to_its_end": 120, "in_cluster": 480, "in_worker_threads": 240}[form]


@pytest.mark.thorough
@needs_node
def test_an_uncaught_error_loses_nothing_and_ends_the_application(
    applications: Applications,
) -> None:
    with applications.begin("uncaught", 5) as process:
        out, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"on purpose" in errors
    with recording() as recorder:
        send_the_rest(applications, recorder)
        assert set(out.decode().split()) <= set(recorder.accepted_ids)
