"""The second pass: stores the events of each bucket, company by company."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import orjson

from cli.event_imports.partition import BucketLine, bucket_files
from models.companies.fields.field_digests import RowGone
from models.database import is_lock_timeout, transaction
from queues.backlog import StoredUntil
from services.events.imports import Importable, find_new, import_records
from services.events.intake import IntakeCaches
from services.events.records import FieldUpdate, PlacedRecord
from services.events.tracked_event import TrackedEvent
from services.rules.rule_books import RuleBooks

EVENTS_AT_ONCE = 10_000
"""The least events in a transaction, if that many are in a bucket."""

ATTEMPTS = 10
"""Transactions that add the same users may have to wait for each other in turns."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class StoringTask:
    """A bucket to store for an organization, at the time of the import.

    `stored_until` is what had been stored then. With `only_count`, nothing is written.
    """

    organization_id: int
    folder: Path
    bucket: int
    at: datetime
    stored_until: StoredUntil
    only_count: bool = False


@dataclass(frozen=True)
class Stored:
    """What became of the events of companies; `repeated` were in the files, or stored, before."""

    events: int
    repeated: int
    companies: int
    users: int


def store_bucket(task: StoringTask) -> list[Stored]:
    """Store the records of a bucket, some companies in each transaction."""
    return [_store(task, lines) for lines in _in_groups(_read(task))]


def _read(task: StoringTask) -> dict[str, list[BucketLine]]:
    """Return the records of each company in a bucket in the order of their times."""
    lines = [
        BucketLine(*orjson.loads(line))
        for path in bucket_files(task.folder, task.bucket)
        for line in path.read_bytes().split(b"\n")
        if line
    ]
    lines.sort(key=lambda line: (line.at, line.order))
    by_company: dict[str, list[BucketLine]] = {}
    for line in lines:
        by_company.setdefault(str(line.company_id), []).append(line)
    return by_company


def _in_groups(by_company: dict[str, list[BucketLine]]) -> Iterator[list[BucketLine]]:
    group: list[BucketLine] = []
    for lines in by_company.values():
        group += lines
        if len(group) >= EVENTS_AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _store(task: StoringTask, lines: Sequence[BucketLine]) -> Stored:
    records = list(_records(task, lines))
    again = len(lines) - len(records)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction():
                new = _import(task, records)
        except RowGone:
            _caches().ids.clear()
        except Exception as error:
            if not is_lock_timeout(error) or attempt == ATTEMPTS:
                raise
            time.sleep(0.1 * attempt)
        else:
            break
    return Stored(new.events, again + new.repeated, new.companies, new.users)


def _import(task: StoringTask, records: Sequence[PlacedRecord]) -> Importable:
    if task.only_count:
        return find_new(task.organization_id, records)
    return import_records(
        task.organization_id,
        records,
        _rulebooks(),
        _caches(),
        task.at,
        judged_later={
            company
            for company in {record.company_id for record in records}
            if company is not None
            and task.stored_until.of(task.organization_id, company) < task.stored_until.now
        },
    )


def _records(task: StoringTask, lines: Sequence[BucketLine]) -> Iterator[PlacedRecord]:
    """Yield updates of fields, and events; of events with the same id, the first.

    An event without an id gets one that is made of its content, and of its number among those with
    the same content.
    """
    seen: set[str] = set()
    equal: Counter[str] = Counter()
    for line in lines:
        user = dict(line.user) if line.user else {}
        user_id = user.pop("id", None)
        occurred_at = min(_EPOCH + timedelta(microseconds=line.at), task.at)
        if line.key is None:
            yield FieldUpdate(
                organization_id=task.organization_id,
                key_id=None,
                company_id=line.company_id,
                company=line.company,
                user_id=user_id,
                user=user,
                occurred_at=occurred_at,
                received_at=task.at,
            )
            continue
        event_id = line.id
        if event_id is None:
            seed = line.seed or ""
            event_id = f"import-{seed}-{equal[seed]}" if equal[seed] else f"import-{seed}"
            equal[seed] += 1
        if event_id in seen:
            continue
        seen.add(event_id)
        yield TrackedEvent(
            organization_id=task.organization_id,
            key_id=None,
            event_id=event_id,
            event_key=line.key,
            company_id=str(line.company_id),
            company=line.company,
            user_id=user_id,
            user=user,
            data=line.data,
            occurred_at=occurred_at,
            received_at=task.at,
            historical=True,
        )


@cache
def _rulebooks() -> RuleBooks:
    """Return the rule books of this process, so that each version is read once."""
    return RuleBooks()


@cache
def _caches() -> IntakeCaches:
    return IntakeCaches()


def forget_caches() -> None:
    """Forget what this process has read of a database: the next import may be into another."""
    _rulebooks.cache_clear()
    _caches.cache_clear()
