"""The files of one directory: numbered segments, and the place up to which all is sent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from brazebee_client.spool.lines import content_of, framed

SUFFIX = ".log"
CURSOR = "cursor"


class Position(NamedTuple):
    """A place between two records."""

    segment: int
    offset: int


START = Position(0, 0)


def segment_path(directory: Path, number: int) -> Path:
    """Return the path of a segment."""
    return directory / f"{number:08d}{SUFFIX}"


def segment_numbers(directory: Path) -> list[int]:
    """Return the numbers of the segments that exist, in order."""
    try:
        names = [entry.name for entry in os.scandir(directory)]
    except OSError:
        return []
    stems = (name[: -len(SUFFIX)] for name in names if name.endswith(SUFFIX))
    return sorted(int(stem) for stem in stems if stem.isdigit())


def read_cursor(directory: Path) -> Position:
    """Return where sending has to go on.

    A place that is lost or damaged is the start: records are sent again, which changes nothing.
    """
    try:
        content = content_of((directory / CURSOR).read_bytes().rstrip(b"\n"))
        segment, offset = (content or b"").split()
        return Position(int(segment), int(offset))
    except (OSError, ValueError):
        return START


def write_cursor(directory: Path, position: Position) -> None:
    """Keep a place. Its size never changes, so this works on a full disk, too.

    Raises:
        OSError: it cannot be written.
    """
    descriptor = os.open(directory / CURSOR, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, framed(b"%010d %012d" % position))
    finally:
        os.close(descriptor)


def directory_bytes(spool: Path) -> int:
    """Return the size of all segments below a spool directory."""
    total = 0
    try:
        folders = [entry.path for entry in os.scandir(spool) if entry.is_dir()]
    except OSError:
        return 0
    for folder in folders:
        try:
            files = list(os.scandir(folder))
        except OSError:  # its owner has removed it
            continue
        for file in files:
            if file.name.endswith(SUFFIX):
                try:
                    total += file.stat().st_size
                except OSError:
                    continue
    return total
