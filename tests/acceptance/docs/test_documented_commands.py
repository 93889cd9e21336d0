"""The shell blocks of the README and of the guides, run as they are on a running product."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.files import ROOT
from tests.support.product.brazebee_process import Brazebee, eventually
from tests.unit.docs.documents import blocks, read, section

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("documented commands")]  # one product

STARTS_A_PRODUCT = "make run"
ACTIVATE = ". .venv/bin/activate"
TOO_SLOW = ("brazebee demo ", "brazebee demo-data ", "brazebee import ")
"""Commands with tests of their own, which take half a minute or more, or need files."""

ACTIVATED_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """A directory with the files that the commands use, where PostgreSQL can enter."""
    with tempfile.TemporaryDirectory(prefix="brazebee-") as made:
        (Path(made) / "config").symlink_to(ROOT / "config")
        yield Path(made)


@pytest.fixture(scope="module")
def product(directory: Path) -> Iterator[Brazebee]:
    """A product after its first start."""
    running = Brazebee(directory, WEB_CONCURRENCY="1").start(deliver=0)
    yield running
    running.stop()


def run(product: Brazebee, directory: Path, block: str, **environment: str) -> str:
    """Run a block line by line, as a shell with `set -e` does."""
    code = block.replace("bzb_...", product.api_key)
    code = code.replace("http://127.0.0.1:8000", product.base_url)
    code = code.replace("http://127.0.0.1:8001", product.dashboard_url)
    done = subprocess.run(
        ["sh", "-e", "-c", code],
        cwd=directory,
        env=product.environment
        | {"PATH": ACTIVATED_PATH, "BRAZEBEE_API_KEY": product.api_key}
        | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def for_a_test(block: str) -> str:
    """A block without what the test has done already, or has no time for."""
    lines = [
        line
        for line in block.splitlines()
        if not line.startswith((STARTS_A_PRODUCT, ACTIVATE, *TOO_SLOW))
    ]
    return "\n".join(lines)


def test_the_blocks_of_the_readme_work_one_after_another(
    product: Brazebee, directory: Path
) -> None:
    outputs = []
    for block in blocks(read("README.md"), "sh"):
        outputs.append(run(product, directory, for_a_test(block)))
        if "/v1/track" in block:
            eventually(lambda: "company_123" in product.run("companies").stdout)
    shown = "".join(outputs)
    assert '"success":true' in shown.replace(" ", "")
    assert "Acme Corp (company_123) is Healthy" in shown
    assert "whsec_" in shown
    assert "carla@example.com" in [person["email"] for person in product.json("people", "list")]


def test_the_batch_of_the_guide_is_accepted(product: Brazebee, directory: Path) -> None:
    [block] = blocks(section(read("docs/api.md"), "`POST /v1/track/batch`"), "sh")
    assert '"accepted":1' in run(product, directory, block).replace(" ", "")


def test_the_commands_for_people_work_one_after_another(product: Brazebee, directory: Path) -> None:
    assert product.run("org", "create", "acme").returncode == 0
    administrator = ("ann@example.com", "--role", "administrator")  # one has to stay
    assert product.run("people", "add", *administrator, "--org", "acme").returncode == 0
    [block] = blocks(section(read("docs/access.md"), "Who may do what in the dashboard"), "sh")
    shown = run(product, directory, block, PASSWORD="a long enough password")
    assert re.search("carla@example.com", shown)


def test_the_first_organization_of_own_servers_works(product: Brazebee, directory: Path) -> None:
    [_, block] = blocks(section(read("docs/operations.md"), "Your own servers"), "sh")
    shown = run(product, directory, block.replace("create default", "create another"))
    assert "bzb_" in shown
