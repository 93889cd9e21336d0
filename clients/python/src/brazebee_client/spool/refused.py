"""Records that the API refused for good, with its reasons: bounded, the oldest go first."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

from brazebee_client.records import COMPANY, EVENT, USER
from brazebee_client.spool.lines import content_of, framed

MOST_BYTES = 5_000_000
"""Size at which a file is put behind a new one; there are two."""

_KINDS = {EVENT: "event", USER: "user", COMPANY: "company"}
_LETTERS = {name: letter for letter, name in _KINDS.items()}
_FILE = "refused.log"
_FORMER = "refused.1.log"
_RETRYING = "refused-retrying-"


@dataclass(frozen=True)
class Refusal:
    """An event or an update that was refused. `status` is 0 if it was never sent."""

    kind: str
    body: dict[str, Any]
    status: int
    error: str
    details: Any
    at: str

    @classmethod
    def of(cls, kind: bytes, body: bytes, status: int, error: str, details: Any) -> Refusal:
        """Return the refusal of a record, as of now."""
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        return cls(_KINDS[kind], json.loads(body), status, error, details, at)


class RefusedRecords:
    """The refused records of a spool. Each process appends with one write, and needs no lock."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool

    def add(self, refusals: Sequence[Refusal]) -> None:
        """Keep refusals.

        Raises:
            OSError: the disk is full.
        """
        data = b"".join(framed(_encoded(refusal)) for refusal in refusals)
        path = self._spool / _FILE
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            os.write(descriptor, data if size == 0 else b"\n" + data)  # after a line cut short
        finally:
            os.close(descriptor)
        if size > MOST_BYTES:
            path.replace(self._spool / _FORMER)

    def __iter__(self) -> Iterator[Refusal]:
        """Yield the refusals that are kept, the oldest first."""
        for path in (self._spool / _FORMER, self._spool / _FILE):
            yield from (refusal for refusal in _refusals_in(path))

    def take_all(self) -> Iterator[tuple[list[bytes], Path]]:
        """Yield the records of each file and the file, which the caller deletes afterwards."""
        for name in (_FORMER, _FILE):
            with contextlib.suppress(OSError):
                (self._spool / name).rename(self._spool / f"{_RETRYING}{uuid4().hex}.log")
        for path in sorted(self._spool.glob(f"{_RETRYING}*.log")):
            yield [_record(refusal) for refusal in _refusals_in(path)], path


def _encoded(refusal: Refusal) -> bytes:
    return json.dumps(vars(refusal), ensure_ascii=False, separators=(",", ":")).encode()


def _record(refusal: Refusal) -> bytes:
    body = json.dumps(refusal.body, ensure_ascii=False, separators=(",", ":")).encode()
    return _LETTERS[refusal.kind] + b" " + body


def _refusals_in(path: Path) -> Iterator[Refusal]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return
    for line in lines:
        content = content_of(line)
        if content is not None:
            yield Refusal(**json.loads(content))
