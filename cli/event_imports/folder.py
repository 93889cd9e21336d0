"""The temporary folder of an import."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_PREFIX = "brazebee-import-"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a folder for a block; also remove the folders of imports that were killed."""
    for former in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = former.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(former, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
