"""A lock that serializes setup work between all processes of one user on this machine."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standalone.errors import StandaloneError


def lock_path() -> Path:
    """Return the path of this user's lock file, in the system's temporary directory."""
    return Path(tempfile.gettempdir()) / f"brazebee-{os.getuid()}-setup.lock"


@contextmanager
def setup_lock() -> Iterator[None]:
    """Run a block while no other process of this user runs one; the lock ends with the process.

    The file is never written to, so it stays behind empty.

    Raises:
        StandaloneError: the file cannot be opened, or is not a regular file of this user.
    """
    path = lock_path()
    descriptor = _open_own_file(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _open_own_file(path: Path) -> int:
    """Open the lock file; refuse links and others' files, which anyone may create there."""
    # Without O_NONBLOCK, opening a named pipe or a device could block forever.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise StandaloneError(f"{path} cannot be opened: {error.strerror}; remove it.") from None
    status = os.fstat(descriptor)
    if status.st_uid != os.getuid() or not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise StandaloneError(f"{path} is not a file of this user; remove it.")
    return descriptor
