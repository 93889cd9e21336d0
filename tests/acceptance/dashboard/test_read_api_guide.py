"""The commands in docs/api.md that read over HTTP, run unchanged on a running product."""

import json
import shutil
import subprocess

import pytest

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.unit.docs.documents import blocks, read, section_beginning

COMMANDS = blocks(section_beginning(read("docs/api.md"), "Reading"), "sh")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_of_the_guide_are_answered(brazebee: Brazebee) -> None:
    event = {
        "event_key": "value_action_complete",
        "company": {"id": "company_1", "name": "Company 1", "plan": "Enterprise"},
    }
    assert brazebee.track(event).status_code == 200
    eventually(lambda: "company_1" in brazebee.run("companies").stdout)
    key = brazebee.run("keys", "create", "--scope", "read").stdout.strip()
    environment = brazebee.environment | {"BRAZEBEE_READ_KEY": key}
    answers = []
    for command in COMMANDS:
        here = command.replace("http://127.0.0.1:8001", brazebee.dashboard_url)
        here = here.replace("bzb_...", key)
        if "export" not in command:
            here = f"export BRAZEBEE_READ={brazebee.dashboard_url}\n{command}"
        done = subprocess.run(
            ["sh", "-c", here],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
    companies, health, transitions = answers
    assert {"companies", "total", "next"} == set(companies)
    assert health["id"] == "company_1"
    assert {"transitions", "next", "more"} == set(transitions)
