"""The code that the guide and the READMEs of the clients show, run as it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from config.files import ROOT
from tests.support.clients.applications import Applications
from tests.support.clients.node import needs_node
from tests.support.clients.recorder import Recorder, recording
from tests.unit.docs.documents import blocks, read

FIELDS = [
    ("/v1/track/batch", {"company": {"id": "acme", "name": "Acme"}, "user": {"id": "ada"}}),
    ("/v1/users/batch", {"user": {"id": "ada", "email": "ada@acme.com"}}),
    ("/v1/companies/batch", {"company": {"id": "acme", "name": "Acme", "plan": "Enterprise"}}),
]

USES_FLASK = "\nassert app.test_client().post('/reports').json == {'created': True}"


def run(command: list[str], code: str, recorder: Recorder, spool: Path) -> None:
    """Run code with the addresses of a test; Node finds the package from its own folder."""
    code = code.replace("http://127.0.0.1:8000", recorder.url)
    code = code.replace("/var/lib/my-app/brazebee", str(spool))
    environment = Applications(command, recorder.url, "k", spool).environment
    done = subprocess.run(
        [*command, code], cwd=ROOT / "clients/node", env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("document", ["docs/clients.md", "clients/python/README.md"])
def test_the_python_that_a_guide_begins_with_sends_what_it_says(
    document: str, tmp_path: Path
) -> None:
    with recording() as recorder:
        first = blocks(read(document), "python")[0]
        run([sys.executable, "-c"], first, recorder, tmp_path)
        assert_sent(recorder)


@needs_node
@pytest.mark.parametrize("document", ["docs/clients.md", "clients/node/README.md"])
def test_the_javascript_that_a_guide_begins_with_sends_what_it_says(
    document: str, tmp_path: Path
) -> None:
    with recording() as recorder:
        run(["node", "--eval"], blocks(read(document), "js")[0], recorder, tmp_path)
        assert_sent(recorder)


def test_the_other_python_of_the_guide_runs(tmp_path: Path) -> None:
    with recording() as recorder:
        _, refusals, flask = blocks(read("docs/clients.md"), "python")
        imported = "from brazebee_client import Client\n"
        code = f"{imported}{refusals}\n{flask}{USES_FLASK}"
        run([sys.executable, "-c"], code, recorder, tmp_path)
        assert [event["event_key"] for event in recorder.accepted] == ["report_created"]


def assert_sent(recorder: Recorder) -> None:
    for path, fields in FIELDS:
        [record] = [r.records[0] for r in recorder.requests if r.path == path]
        assert fields.items() <= record.items()
