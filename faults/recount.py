"""Recounts the transitions of a company from its events, with nothing from `rules`.

Between two instants at which an event occurs or leaves a window nothing
can change, so each such instant is tested.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

QUIET_FOR = timedelta(seconds=6)
ERRORS_WITHIN = timedelta(seconds=5)
ERRORS = 3

REPORT, ERROR = "report", "error"

FLAGS = f"""
  - flag: Quiet
    event: {REPORT}
    when: {{At Risk: less than 1 time in {QUIET_FOR.seconds} seconds}}
  - flag: Errors
    event: {ERROR}
    when: {{Critical: at least {ERRORS} times in {ERRORS_WITHIN.seconds} seconds}}
"""
"""The flags that are recounted."""

Event = tuple[datetime, str]
"""When an event occurred, and its key."""

Change = tuple[datetime, str, str]
"""An instant, and the status before and after it; they are equal if only flags changed."""


def recount(events: Sequence[Event], *, until: datetime) -> list[Change]:
    """Return the changes up to an instant, in order."""
    reports = sorted(at for at, key in events if key == REPORT)
    errors = sorted(at for at, key in events if key == ERROR)
    first = min(at for at, _ in events)
    instants = {
        *(at for at, _ in events),
        *(at + QUIET_FOR for at in reports),
        *(at + ERRORS_WITHIN for at in errors),
    }
    changes: list[Change] = []
    quiet = failing = False
    for now in sorted(instant for instant in instants if first <= instant <= until):
        before = (quiet, failing)
        quiet = not any(now - QUIET_FOR < at <= now for at in reports)
        failing = sum(now - ERRORS_WITHIN < at <= now for at in errors) >= ERRORS
        if (quiet, failing) != before:
            changes.append((now, _status(*before), _status(quiet, failing)))
    return changes


def _status(quiet: bool, failing: bool) -> str:
    if failing:
        return "Critical"
    return "At Risk" if quiet else "Healthy"
