"""Measures durations as medians and percentiles, and the rate at which a number falls."""

import time
from collections.abc import Callable, Sequence
from statistics import median, quantiles

MAXIMUM_WAIT = 60.0


def median_ms(work: Callable[[], object], *, repeats: int) -> float:
    """Return the median of one call in milliseconds, after a call that is not counted."""
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
    """Measure how fast a number falls, from its first change until 0 or for at most `seconds`.

    `check` raises if the number cannot fall any more.

    Raises:
        RuntimeError: the number has not changed for a minute.
    """
    first = last = number()
    waited_from = time.monotonic()
    while last == first:
        check()
        if time.monotonic() - waited_from > MAXIMUM_WAIT:
            raise RuntimeError(f"{first} messages are waiting, and no process takes them")
        time.sleep(0.005)
        last = number()
    started_at, start = time.perf_counter(), last
    while last and time.perf_counter() - started_at < seconds:
        time.sleep(0.01)
        last = number()
    return (start - last) / (time.perf_counter() - started_at)


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return the p50 and p99 of latencies."""
    cuts = quantiles(milliseconds, n=100)
    return {"p50_ms": cuts[49], "p99_ms": cuts[98]}
