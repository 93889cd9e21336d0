"""What must be true of the product after all inputs."""

import time
from collections.abc import Collection, Mapping

import psutil

from bench.product.processes import Usage, usage_of
from bench.product.stage import WORKERS
from fuzz.target import Target

STORED_WITHIN = 60.0
TRACEBACK = "Traceback (most recent call last)"
LONGEST_TRACEBACK = 3_000

MOST_GROWTH = 1.25
"""Of the memory of a kind of process."""

KINDS = ("web", "dashboard", *WORKERS)


def memory_of(target: Target) -> dict[str, Usage]:
    """Return the resources used by each kind of process."""
    pids = target.product.pids()
    return {name: usage_of([pids[name]]) for name in KINDS}


def processes_of(target: Target) -> dict[int, str]:
    """Return the kinds of all processes by id, those that one has started included."""
    pids = target.product.pids()
    return {
        process.pid: name
        for name in KINDS
        for leader in [psutil.Process(pids[name])]
        for process in [leader, *leader.children(recursive=True)]
    }


def faults_of_workers(
    target: Target, processes: Mapping[int, str], accepted: Collection[str]
) -> list[str]:
    """Return what went wrong after the answers: lost events, events set aside, ended processes."""
    query = target.product.query
    deadline = time.monotonic() + STORED_WITHIN
    missing = set(accepted)
    while missing and time.monotonic() < deadline:
        time.sleep(0.5)
        missing = set(accepted) - {row[0] for row in query("select event_id from events")}
    faults = []
    if missing:
        faults.append(f"{len(missing)} accepted events are not stored, such as {min(missing)}")
    for table in ("rejected_events", "unreadable_messages"):
        [(number,)] = query(f"select count(*) from {table}")
        if number:
            faults.append(f"{number} rows in {table}")
    ended = {processes[pid] for pid in processes.keys() - processes_of(target).keys()}
    if ended:
        faults.append(f"processes ended: {', '.join(sorted(ended))}")
    output = "".join(target.product.output)
    if TRACEBACK in output:
        faults.append(f"a process logged {output[output.index(TRACEBACK) :][:LONGEST_TRACEBACK]}")
    return faults


def grown(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> list[str]:
    """Return the processes whose memory grew."""
    return [
        f"{name} grew from {before[name].memory_mb:.0f} to {used.memory_mb:.0f} MB"
        for name, used in after.items()
        if used.memory_mb > MOST_GROWTH * before[name].memory_mb
    ]
