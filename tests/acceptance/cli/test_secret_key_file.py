"""The key of a data directory is rotated as docs/security.md describes."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from models.encrypted_secrets import find_key
from tests.support.product.brazebee_process import Brazebee
from tests.support.webhooks.receiver import Receiver
from tests.unit.docs.documents import blocks, read, section

STEPS = section(read("docs/security.md"), "The encryption key")
_, BEFORE_THE_RESTART, AFTER_IT = blocks(STEPS, "sh")
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def run(product: Brazebee, block: str) -> str:
    code = block.replace(".brazebee/", f"{product.data_dir}/")
    environment = product.environment | {"PATH": PATH}
    done = subprocess.run(["sh", "-e", "-c", code], env=environment, capture_output=True, text=True,
                          timeout=60, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def stored_secret(product: Brazebee) -> str:
    [(secret,)] = product.query("select encrypted_secret from webhook_endpoints")
    return str(secret)


@pytest.mark.thorough
def test_the_key_of_a_data_directory_is_rotated_and_webhooks_are_still_signed(
    own_brazebee: Brazebee, receiver: Receiver
) -> None:
    own, file = own_brazebee, own_brazebee.data_dir / "secret-key"
    few = {"dashboard": 0, "persist": 0, "evaluate": 0, "clock": 0, "backtest": 0}
    own.start(**few, deliver=0)
    added = own.json("webhooks", "add", receiver.url)
    old = file.read_text().strip()
    run(own, BEFORE_THE_RESTART)
    new, kept = file.read_text().strip().split(",")
    assert kept == old != new
    own.stop()

    own.start(**few)
    assert "1 secret encrypted again with the first key" in run(own, AFTER_IT)
    assert find_key(stored_secret(own), [new]) == 0
    assert file.read_text().strip() == new
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not (own.data_dir / "secret-key.old").exists()
    own.stop()

    own.start(**few)
    assert own.run("webhooks", "test", added["id"]).returncode == 0
    assert receiver.next(added["secret"])[1]["event"] == "test"
