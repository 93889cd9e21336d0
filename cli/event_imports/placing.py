"""Finds the companies of records that name only a user: other records name them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from cli.event_imports.partition import (
    BELONGING,
    UNPLACED,
    BucketLine,
    append_lines,
    bucket_file,
    bucket_of,
    refused_file,
)
from models.companies import users
from models.database import transaction

AT_ONCE = 10_000
"""Records that are placed together."""

REASON = "user.id: The company of this user is not known"


@dataclass(frozen=True)
class Unplaceable:
    """A record whose company cannot be found, and the number of the task that read it."""

    task: int
    key: str | None


def place_records(organization_id: int, folder: Path, buckets: int) -> Iterator[Unplaceable]:
    """Put records that name only a user into the buckets of the users' companies.

    A user belongs to the company that the latest record up to then names, or else the first one
    afterwards, or else to the one that is stored. Yields those that cannot be placed, which are
    written among the refused rows.
    """
    moves = _Moves(folder)
    for lines in _in_chunks(folder):
        unknown = {user for line, _ in lines if (user := _user_of(line)) not in moves}
        with transaction():
            stored = users.find_companies(organization_id, unknown) if unknown else {}
        placed: dict[int, list[bytes]] = {}
        for line, row in lines:
            user = _user_of(line)
            company = moves.company_at(user, line.at) or stored.get(user)
            if company is None:
                task, number = line.order >> 32, line.order & 0xFFFFFFFF
                append_lines(refused_file(folder, task), [orjson.dumps([number, REASON, row])])
                yield Unplaceable(task, line.key)
                continue
            content = orjson.dumps([*line._replace(company_id=company)])
            placed.setdefault(bucket_of(company, buckets), []).append(content)
        for bucket, contents in placed.items():
            append_lines(bucket_file(folder, bucket), contents)


class _Moves:
    """The companies that records name for users, with the times from which they apply."""

    def __init__(self, folder: Path) -> None:
        self._times: dict[str, list[int]] = {}
        self._companies: dict[str, list[str]] = {}
        named: dict[str, list[tuple[int, str]]] = {}
        for line in _lines(folder.glob(f"{BELONGING}.*")):
            user, at, company = orjson.loads(line)
            named.setdefault(user, []).append((at, company))
        for user, pairs in named.items():
            pairs.sort()
            self._times[user] = [at for at, _ in pairs]
            self._companies[user] = [company for _, company in pairs]

    def __contains__(self, user: str) -> bool:
        return user in self._times

    def company_at(self, user: str, at: int) -> str | None:
        times = self._times.get(user)
        if times is None:
            return None
        return self._companies[user][max(bisect_right(times, at) - 1, 0)]


def _in_chunks(folder: Path) -> Iterator[list[tuple[BucketLine, Any]]]:
    chunk: list[tuple[BucketLine, Any]] = []
    for line in _lines(sorted(folder.glob(f"{UNPLACED}.*"))):
        fields, row = orjson.loads(line)
        chunk.append((BucketLine(*fields), row))
        if len(chunk) == AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _lines(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            yield from file


def _user_of(line: BucketLine) -> str:
    return str(line.user["id"]) if line.user else ""
