"""An import of events: both passes over all files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cli.event_imports.forms import Reading
from cli.event_imports.partition import Partitioned, PartitionTask, partition
from cli.event_imports.placing import REASON, place_records
from cli.event_imports.progress import Done, readable_size, with_rate
from cli.event_imports.sources import Source, divide
from cli.event_imports.storing import Stored, StoringTask, forget_caches, store_bucket
from cli.unfinished import begin_errors_with_how_to_go_on
from config.settings import Settings
from queues.arrivals import Announcements, Imported
from queues.backlog import GRACE, StoredUntil
from queues.broker import build_broker
from services.parallel import on_every_processor

Task = TypeVar("Task")
Result = TypeVar("Result")

BUCKET_BYTES = 8 * 1024 * 1024
"""About how many bytes of input one bucket has; a process holds the events of one in memory."""

SMALL_BYTES = 2 * 1024 * 1024
"""Up to this size, starting processes takes longer than the work."""

LEAST_BUCKETS, MOST_BUCKETS = 8, 4096


@dataclass(frozen=True)
class ReadFile:
    """A file of an import, how it is read, and the numbers of the tasks that read it."""

    source: Source
    reading: Reading
    numbers: Sequence[int] = ()


@dataclass
class FirstPass:
    """What is in the files, and in how many buckets it was shared out."""

    buckets: int
    files: list[ReadFile] = field(default_factory=list)
    found: Partitioned = field(default_factory=Partitioned)
    refused: dict[Path, int] = field(default_factory=dict)


@begin_errors_with_how_to_go_on()
def read_files(
    settings: Settings,
    organization_id: int,
    files: Sequence[ReadFile],
    folder: Path,
    keys: Mapping[str, str],
    now: datetime,
) -> FirstPass:
    """Read all files, and share their events out to buckets in a folder.

    Raises:
        CommandError: it did not finish.
    """
    size = sum(file.source.size for file in files)
    result = FirstPass(min(max(size // BUCKET_BYTES, LEAST_BUCKETS), MOST_BUCKETS))
    tasks: list[PartitionTask] = []
    for file in files:
        ranges = divide(file.source)
        numbers = range(len(tasks), len(tasks) + len(ranges))
        result.files.append(replace(file, numbers=numbers))
        tasks += [
            PartitionTask(number, rows, file.reading, folder, result.buckets, keys, now)
            for number, rows in zip(numbers, ranges, strict=True)
        ]
    owners = {number: file.source.path for file in result.files for number in file.numbers}
    results = _run(settings, partition, tasks, size)
    for part in with_rate(
        results,
        lambda part: Done(part.bytes, part.rows),
        total=size,
        size=readable_size(size),
        label="Reading",
        unit="rows",
    ):
        result.found.add(part)
        path = owners[part.number]
        result.refused[path] = result.refused.get(path, 0) + part.refused.total()
    for record in place_records(organization_id, folder, result.buckets):
        path = owners[record.task]
        result.refused[path] += 1
        result.found.refused[REASON] += 1
        result.found.unplaced += 1
    return result


@begin_errors_with_how_to_go_on()
def store_all(
    settings: Settings,
    organization_id: int,
    first_pass: FirstPass,
    folder: Path,
    stored_until: StoredUntil,
    *,
    only_count: bool,
) -> Stored:
    """Store what is in the buckets, or only count what is new in them.

    Raises:
        CommandError: it did not finish.
    """
    at = stored_until.now - GRACE
    forget_caches()
    tasks = [
        StoringTask(organization_id, folder, bucket, at, stored_until, only_count)
        for bucket in range(first_pass.buckets)
    ]
    total = Stored(0, 0, 0, 0)
    announcements = Announcements(build_broker(settings.redis_url).client)
    found = first_pass.found
    label = "Comparing" if only_count else "Storing"
    events = found.accepted.total()
    for part in with_rate(
        _each(settings, tasks, found.bytes),
        lambda part: Done(part.events + part.repeated, part.events + part.repeated),
        total=events,
        size=f"{events:,}",
        label=label,
        unit="events",
    ):
        total = Stored(
            total.events + part.events,
            total.repeated + part.repeated,
            total.companies + part.companies,
            total.users + part.users,
        )
        if found.first_at and found.last_at and not only_count:
            imported = Imported(part.events, found.first_at, found.last_at)
            announcements.announce_imported(organization_id, imported)
    return total


def _each(settings: Settings, tasks: Sequence[StoringTask], size: int) -> Iterator[Stored]:
    for parts in _run(settings, store_bucket, tasks, size):
        yield from parts


def _run(
    settings: Settings, work: Callable[[Task], Result], tasks: Sequence[Task], size: int
) -> Iterator[Result]:
    if size <= SMALL_BYTES:
        return map(work, tasks)
    return on_every_processor(settings, work, tasks)
