"""Deploys under load: processes of this release and of the one before, in either order."""

import io
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.files import ROOT
from faults.product import CURRENT, KINDS, Release
from faults.stage import Fault, Stage

BETWEEN_SECONDS = 3.0


def deploys(commit: str) -> list[Fault]:
    """Return the deploys from and to the release at a commit of this repository."""
    orders = {"web first": [*reversed(KINDS)], "web last": [*KINDS]}

    def of(order: Sequence[str]) -> Fault:
        return Fault(
            f"back to {commit} and forward again, {', '.join(order)}",
            lambda stage: _back_and_forward(stage, commit, order),
        )

    return [of(order) for order in orders.values()]


def _back_and_forward(stage: Stage, commit: str, order: Sequence[str]) -> None:
    with _release_of(commit) as before:
        for release in (before, CURRENT):
            for kind in order:
                stage.product.replace(kind, release)
                time.sleep(BETWEEN_SECONDS)


@contextmanager
def _release_of(commit: str) -> Iterator[Release]:
    archive = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tempfile.TemporaryDirectory(prefix="brazebee-release-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        yield Release(commit, Path(folder))
