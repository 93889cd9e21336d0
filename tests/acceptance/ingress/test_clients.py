"""The examples in docs/examples, run unchanged wherever their interpreter is installed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.files import ROOT
from tests.support.product.brazebee_process import Brazebee

EXAMPLES = ROOT / "docs" / "examples"
INTERPRETERS = {".sh": "curl", ".py": sys.executable, ".mjs": "node", ".rb": "ruby"}


@pytest.mark.parametrize(
    "example",
    [path for path in sorted(EXAMPLES.iterdir()) if path.suffix in INTERPRETERS],
    ids=lambda path: path.name,
)
def test_an_example_posts_an_event(brazebee: Brazebee, example: Path) -> None:
    needed = shutil.which(INTERPRETERS[example.suffix])
    if needed is None:
        pytest.skip(f"{INTERPRETERS[example.suffix]} is not installed")
    command = ["sh" if example.suffix == ".sh" else needed, str(example)]
    environment = brazebee.environment | {
        "BRAZEBEE_URL": brazebee.base_url,
        "BRAZEBEE_API_KEY": brazebee.api_key,
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["success"] is True
