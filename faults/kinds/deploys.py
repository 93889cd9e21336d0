"""Deploys under load: processes of this release and of the one before, in either order."""

import io
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from config.files import ROOT
from faults.product import CURRENT, KINDS, Release
from faults.stage import Fault, Stage
from models.migrations import migrate

BETWEEN_SECONDS = 3.0


@contextmanager
def release_of(commit: str) -> Iterator[Release]:
    """Unpack the code at a commit of this repository."""
    archive = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tempfile.TemporaryDirectory(prefix="brazebee-release-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        yield Release(commit, Path(folder))


def deploys(before: Release) -> list[Fault]:
    """Return the deploys from and to the release before, and what follows the last one."""
    orders = {"web first": [*reversed(KINDS)], "web last": [*KINDS]}
    return [
        *(
            Fault(
                f"back to {before.name} and forward again, {name}",
                partial(_back_and_forward, before=before, order=order),
            )
            for name, order in orders.items()
        ),
        Fault("post migrations", _post_migrations, isolated=True),
    ]


def _back_and_forward(stage: Stage, before: Release, order: Sequence[str]) -> None:
    for release in (before, CURRENT):
        for kind in order:
            stage.product.replace(kind, release)
            time.sleep(BETWEEN_SECONDS)


def _post_migrations(_stage: Stage) -> str:
    began = time.monotonic()
    applied = migrate(post=True)
    took = time.monotonic() - began
    time.sleep(BETWEEN_SECONDS)
    return f"{len(applied)} applied in {took:.1f} s"
