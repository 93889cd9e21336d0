"""The lines that docs/api.md has for reading, run as they stand on a running product."""

import json
import re
import shutil
import subprocess

import pytest

from config.files import ROOT
from tests.support.product.brazebee_process import Brazebee, eventually

GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
TOTALS = GUIDE.split("## Reading", 1)[1].split("\n## ", 1)[0]
LINES = re.findall(r"```sh\n(.*?)```", TOTALS, re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_lines_of_the_guide_are_answered(brazebee: Brazebee) -> None:
    event = {
        "event_key": "value_action_complete",
        "company": {"id": "company_1", "name": "Company 1", "plan": "Enterprise"},
    }
    assert brazebee.track(event).status_code == 200
    eventually(lambda: "company_1" in brazebee.run("companies").stdout)
    environment = brazebee.environment | {"BRAZEBEE_API_KEY": brazebee.api_key}
    answers = []
    for line in LINES:
        here = line.replace("http://127.0.0.1:8001", brazebee.dashboard_url)
        if here == line:
            here = f"export BRAZEBEE_READ={brazebee.dashboard_url}\n{line}"
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
    listed, health, told = answers
    assert {"companies", "total", "next"} == set(listed)
    assert health["id"] == "company_1"
    assert {"transitions", "next", "more"} == set(told)
