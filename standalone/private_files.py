"""Directories and files that no other user may enter or read, whatever the umask."""

import os
import pwd
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from standalone.errors import StandaloneError

UMASK = 0o077
"""The umask of every process that is started: what it writes is for its user alone."""


def write_private(file: Path, text: str) -> None:
    """Replace a file atomically by one that only this user may read.

    Raises:
        OSError: it cannot be written.
    """
    temporary = file.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(create_private(temporary, os.O_WRONLY), "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    temporary.replace(file)


def create_private(file: Path, flags: int) -> int:
    """Create a file that only this user may read; return its descriptor.

    Raises:
        OSError: it exists, or cannot be created.
    """
    return os.open(file, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def make_private(directory: Path) -> None:
    """Create a directory if it is missing, and close it and all that is in it to other users.

    Raises:
        OSError: that is not possible.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    for path in directory.rglob("*"):
        kind = stat.S_IFMT(path.lstat().st_mode)
        if kind in (stat.S_IFDIR, stat.S_IFREG):
            path.chmod(0o700 if kind == stat.S_IFDIR else 0o600)


def own_directory(directory: Path, owner: str | None = None) -> Path:
    """Create a directory with a name that others can predict, for this user or `owner` alone.

    Raises:
        StandaloneError: it is a link, or belongs to another user: anyone may create one there.
    """
    uids = {os.getuid(), pwd.getpwnam(owner).pw_uid if owner else os.getuid()}
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise StandaloneError(f"{directory} cannot be used: {error.strerror}; remove it.") from None
    try:
        if os.fstat(descriptor).st_uid not in uids:
            raise StandaloneError(f"{directory} belongs to another user; remove it.")
        if owner:
            os.fchown(descriptor, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)
    return directory


def remove_own_directory(directory: Path, files: Iterable[str]) -> None:
    """Remove a directory with a predictable name, and these files in it; do not follow a link.

    Raises:
        OSError: it is missing, is a link, or contains other files.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for file in files:
            with suppress(FileNotFoundError):
                os.unlink(file, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    directory.rmdir()
