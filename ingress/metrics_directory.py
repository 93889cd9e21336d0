"""Where the workers of one `web` process put their figures together."""

import os
import shutil
import tempfile
from pathlib import Path

import psutil


def metrics_directory() -> Path:
    """The directory that all workers of this worker's parent share, made if need be.

    Raises:
        PermissionError: somebody else has made it.
    """
    root = Path(tempfile.gettempdir()) / f"brazebee-web-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    if root.is_symlink() or root.stat().st_uid != os.getuid():
        raise PermissionError(f"{root} belongs to another user; remove it.")
    return directory_of(root, os.getppid())


def directory_of(root: Path, pid: int) -> Path:
    """The directory below `root` of the process with this pid; those of ended ones are removed."""
    for left in root.iterdir():
        if not _is_of_running_process(left):
            shutil.rmtree(left, ignore_errors=True)
    directory = root / str(pid)
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def _is_of_running_process(directory: Path) -> bool:
    try:
        started = psutil.Process(int(directory.name)).create_time()
        return directory.stat().st_mtime >= started - 1  # else it had another's pid
    except (FileNotFoundError, psutil.NoSuchProcess, ValueError):
        return False
