"""How long something takes, told as the median of several times."""

import time
from collections.abc import Callable
from statistics import median

LONGEST_WAIT = 60.0


def median_ms(work: Callable[[], object], *, repeats: int) -> float:
    """The median time of one call in milliseconds, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return median(times) * 1000


def fall_per_second(
    number: Callable[[], int], *, seconds: float, check: Callable[[], object]
) -> float:
    """How fast a number falls: from when it first moves until it is 0, at most so many seconds.

    `check` raises when it cannot fall any more.

    Raises:
        RuntimeError: it has not moved for a minute.
    """
    first = last = number()
    waited_from = time.monotonic()
    while last == first:
        check()
        if time.monotonic() - waited_from > LONGEST_WAIT:
            raise RuntimeError(f"{first} messages wait, and nobody takes them")
        time.sleep(0.005)
        last = number()
    moved_at, moved = time.perf_counter(), last
    while last and time.perf_counter() - moved_at < seconds:
        time.sleep(0.01)
        last = number()
    return (moved - last) / (time.perf_counter() - moved_at)
