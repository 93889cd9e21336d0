"""How long something takes, told as the median of several times."""

import time
from collections.abc import Callable
from statistics import median


def median_ms(work: Callable[[], object], *, repeats: int) -> float:
    """The median time of one call in milliseconds, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return median(times) * 1000
