"""The directory of the embedded Redis: which server wrote it, and which files hold the events."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from standalone.embedded_redis.append_only_file import cut_unfinished_tail, fault_in
from standalone.embedded_redis.server import RedisServer, Version
from standalone.errors import StandaloneError
from standalone.private_files import write_private

SINGLE = "appendonly.aof"
"""The append-only file until Redis 6.2. Later versions take it over and write several files."""

FOLDER, MANIFEST = "appendonlydir", "appendonly.aof.manifest"
"""The folder of the several files, and its list of them."""

WRITER = "written-by.json"

_LISTED = re.compile(r"file (\S+) seq \d+ type ([bi])")
_WRITER_IN_HEAD = re.compile(rb"(redis|valkey)-ver.(\d+)\.(\d+)", re.DOTALL)
_HEAD_BYTES = 256


@dataclass(frozen=True)
class EventFiles:
    """A snapshot, if there is one, and the files of the writes since, in order."""

    base: Path | None
    writes: tuple[Path, ...]


def prepare_redis_directory(directory: Path, server: RedisServer) -> list[str]:
    """Check that a server can read what is in its directory, and cut what a power cut left.

    Return lines for people about what was changed.

    Raises:
        StandaloneError: the server cannot read it, or would leave out events.
        OSError: a file cannot be read or written.
    """
    files = event_files(directory)
    writer = _writer(directory, files)
    if writer and not server.version.reads(writer):
        raise StandaloneError(
            f"{directory} was written by {writer}, whose files {server.version} cannot read."
            " Serve it with that version and set REDIS_URL, or start another --data-dir."
            " docs/operations.md explains how, under Embedded Redis."
        )
    lines = []
    if writer and writer != server.version:
        lines.append(f"{directory} was written by {writer}; {server.version} takes it over")
    line = cut_unfinished_tail(files.writes, server)
    if line:
        lines.append(line)
    if writer != server.version or not (directory / WRITER).exists():
        write_private(directory / WRITER, json.dumps(asdict(server.version)))
    return lines


def damage_of_snapshot(directory: Path, server: RedisServer) -> str | None:
    """Return a sentence about a snapshot that cannot be read; None if there is no such."""
    base = event_files(directory).base
    if base is None or not base.exists():
        return None
    checked = server.check("rdb" if base.suffix == ".rdb" else "aof", base)
    if checked.returncode == 0:
        return None
    return (
        f"{base} is damaged: {fault_in(checked.stdout)} Restore {directory} from a backup, or move"
        " it away with the events that were not stored yet."
    )


def event_files(directory: Path) -> EventFiles:
    """Return the files that a server reads when it starts.

    Raises:
        StandaloneError: a former server left another file with events, which it would not read.
    """
    single, folder = directory / SINGLE, directory / FOLDER
    try:
        listed = _LISTED.findall((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return EventFiles(None, (single,) if single.exists() else ())
    if single.exists() and (folder / SINGLE).exists() | ((SINGLE, "b") not in listed):
        raise StandaloneError(
            f"{single} and {folder} both contain events, as two versions of Redis wrote them:"
            " move the file away, start, wait until all events are stored, stop; then exchange the"
            " two and start again."
        )
    if (SINGLE, "b") in listed and single.exists():
        return EventFiles(None, (single,))  # its takeover was interrupted; it is continued
    base = next((folder / name for name, kind in listed if kind == "b"), None)
    return EventFiles(base, tuple(folder / name for name, kind in listed if kind == "i"))


def _writer(directory: Path, files: EventFiles) -> Version | None:
    """Return which version wrote a directory; None if it has no events, or nothing says so."""
    try:
        recorded = json.loads((directory / WRITER).read_text(encoding="utf-8"))
        return Version(recorded["name"], (recorded["number"][0], recorded["number"][1]))
    except FileNotFoundError:
        return _writer_of_snapshot(files)
    except (KeyError, TypeError, ValueError, IndexError):
        raise StandaloneError(f"{directory / WRITER} is damaged; remove it.") from None


def _writer_of_snapshot(files: EventFiles) -> Version | None:
    first = files.base or next(iter(files.writes), None)
    if not first or not first.exists():
        return None
    with first.open("rb") as opened:
        found = _WRITER_IN_HEAD.search(opened.read(_HEAD_BYTES))
    if found:
        return Version(found[1].decode().capitalize(), (int(found[2]), int(found[3])))
    # Redis 6.2 writes a snapshot only when it rewrites the file.
    return Version("Redis", (6, 2)) if first.name == SINGLE else None
