"""Append-only files that a power cut left unfinished, or that are damaged."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from standalone.embedded_redis.server import RedisServer
from standalone.errors import StandaloneError
from standalone.private_files import create_private

LONGEST_TAIL = 64 * 1024 * 1024
"""Bytes. What is written at once is far shorter, so more than that is no unfinished write."""

_VALID_UP_TO = re.compile(r"ok_up_to=(\d+)")
_HEADER = re.compile(rb"([*$])(\d{1,10})\r\n")
_UNFINISHED_HEADER = re.compile(rb"[*$](\d{0,10}\r?)?")


class Damaged(ValueError):
    """Raised for bytes that are no beginning of a command."""


def cut_unfinished_tail(files: Sequence[Path], server: RedisServer) -> str | None:
    """Cut the unfinished end of the last file, after its bytes were copied to a file beside it.

    What a power cut interrupts is a part of a command, zeros, or both, of writes that
    were never acknowledged. Return a line for people, or None if all files are whole.

    Raises:
        StandaloneError: a file is damaged elsewhere.
    """
    for file in filter(Path.exists, files):  # the server itself says which one is missing
        checked = server.check("aof", file)
        if checked.returncode == 0:
            continue
        found = _VALID_UP_TO.search(checked.stdout)
        valid = int(found[1]) if found else 0
        tail = _tail(file, valid)
        if file != files[-1] or not found or tail is None or not is_unfinished(tail):
            raise StandaloneError(_how_to_mend(file, valid, checked.stdout, server))
        copy = _keep(file, valid, tail)
        os.truncate(file, valid)
        _flush(file)
        return (
            f"the last {len(tail):,} bytes of {file} were no whole write, as after a power cut:"
            f" they were cut, and a copy is in {copy}"
        )
    return None


def is_unfinished(tail: bytes) -> bool:
    """Return whether bytes are the beginning of a command or transaction, then zeros or nothing."""
    try:
        commands = list(_commands(tail.rstrip(b"\0")))
    except Damaged:
        return False
    names = [command.upper() for command in commands]
    # Whole commands are left over only if their transaction has no end.
    return not names or (names[0] == b"MULTI" and b"EXEC" not in names)


def _commands(data: bytes) -> Iterator[bytes]:
    """Yield the name of each whole command, and end where the data ends.

    Raises:
        Damaged: something else is in the data.
    """
    at = 0
    while at < len(data):
        header = _header(data, at, b"*")
        if header is None:
            return
        parts, at = header
        name = b""
        for part in range(parts):
            header = _header(data, at, b"$")
            if header is None:
                return
            length, start = header
            at = start + length + 2
            if at > len(data):
                return
            if data[at - 2 : at] != b"\r\n":
                raise Damaged
            name = name if part else data[start : at - 2]
        yield name


def _header(data: bytes, at: int, kind: bytes) -> tuple[int, int] | None:
    """Return the number in a header and where it ends; None if the data ends within it."""
    found = _HEADER.match(data, at)
    if found and found[1] == kind:
        return int(found[2]), found.end()
    rest = data[at:]
    if not rest or (rest.startswith(kind) and _UNFINISHED_HEADER.fullmatch(rest)):
        return None
    raise Damaged


def _tail(file: Path, start: int) -> bytes | None:
    """Return the bytes from a position on; None if they are too many for one write."""
    if file.stat().st_size - start > LONGEST_TAIL:
        return None
    with file.open("rb") as opened:
        opened.seek(start)
        return opened.read()


def _keep(file: Path, start: int, tail: bytes) -> Path:
    copy = file.with_name(f"{file.name}.{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.cut-at-{start}")
    with os.fdopen(create_private(copy, os.O_WRONLY), "wb") as opened:
        opened.write(tail)
        opened.flush()
        os.fsync(opened.fileno())
    _flush(file.parent)
    return copy


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _how_to_mend(file: Path, valid: int, said: str, server: RedisServer) -> str:
    check = f"{server.version.name.lower()}-check-aof"
    mend = f"exec -a {check} {shlex.quote(str(server.path))} --fix {shlex.quote(str(file))}"
    ways = "Nothing was changed. Restore the directory from a backup"
    if valid:
        ways += (
            "; or copy it, then drop everything from that byte on with"
            f" `bash -c {shlex.quote(mend)}`, and start again"
        )
    return (
        f"{file} is damaged at byte {valid:,} of {file.stat().st_size:,}, before its end."
        f" {check}: {fault_in(said)}\n{ways}."
    )


def fault_in(said: str) -> str:
    """Return what the check says about a fault, on one line."""
    lines = [line.strip() for line in said.splitlines()]
    faults = [line for line in lines if line.startswith("0x") or "error" in line.lower()]
    return " ".join((faults or lines)[-1:]) or "no message"
