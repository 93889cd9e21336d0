"""What must be true of the product after all inputs."""

import time
from collections.abc import Collection, Mapping

from bench.product.processes import Usage, usage_of
from fuzz.target import Target

STORED_WITHIN = 60.0
MOST_GROWTH = 1.25
"""Of a process's memory, from the first tenth of the inputs to the last."""

PYTHON = ("web", "dashboard", "persist", "evaluate", "deliver", "clock")


def memory_of(target: Target) -> dict[str, Usage]:
    """Return the use of each kind of Python process."""
    pids = target.product.pids()
    return {name: usage_of([pids[name]]) for name in PYTHON}


def faults_of_workers(
    target: Target, pids: Mapping[str, int], accepted: Collection[str]
) -> list[str]:
    """Return what went wrong after the answers: lost events, events set aside, ended processes."""
    query = target.product.query
    deadline = time.monotonic() + STORED_WITHIN
    missing = set(accepted)
    while missing and time.monotonic() < deadline:
        missing = set(accepted) - {row[0] for row in query("select event_id from events")}
        time.sleep(0.5)
    faults = []
    if missing:
        faults.append(f"{len(missing)} accepted events are not stored, such as {min(missing)}")
    for table in ("rejected_events", "unreadable_messages"):
        [(number,)] = query(f"select count(*) from {table}")
        if number:
            faults.append(f"{number} rows in {table}")
    ended = {name for name, pid in pids.items() if target.product.pids().get(name) != pid}
    if ended:
        faults.append(f"processes ended: {', '.join(sorted(ended))}")
    for log in sorted(target.product.data.rglob("*.log")):
        text = log.read_text(encoding="utf-8", errors="replace")
        if "Traceback" in text:
            faults.append(f"{log.name} has a traceback: {text[text.index('Traceback') :][:2_000]}")
    return faults


def grown(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> list[str]:
    """Return the processes whose memory grew."""
    return [
        f"{name} grew from {before[name].memory_mb:.0f} to {used.memory_mb:.0f} MB"
        for name, used in after.items()
        if used.memory_mb > MOST_GROWTH * before[name].memory_mb
    ]
