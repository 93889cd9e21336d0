"""What the product takes with few and with many companies, and with few and many stored events."""

from dataclasses import dataclass
from statistics import median

from bench.figures import Figure
from bench.load import Offer
from bench.progress import Progress
from bench.stage import CUSTOMERS, running_stage
from bench.throughput import stored_and_judged_per_second

FILLED_PER_SECOND = 30_000
"""Rows, roughly, for the progress bar."""


@dataclass(frozen=True)
class Size:
    """What is there before: companies, and events of theirs."""

    companies: int
    events: int

    def __str__(self) -> str:
        return f"{self.companies:,} companies, {self.events:,} events"


@dataclass(frozen=True)
class _Rates:
    accepted: float
    worked: float


def measure_growth(small: Size, large: Size, *, seconds: float, rounds: int) -> list[Figure]:
    """Ingress and workers alone at the small size, and with each of its two numbers made large.

    Each figure is the median of several rounds.

    Raises:
        EventsLost: an event was accepted and is not stored.
    """
    sizes = [small, Size(large.companies, small.events), Size(small.companies, large.events)]
    rows = sum(5 * size.companies + size.events for size in sizes)
    progress = Progress(rows / FILLED_PER_SECOND + len(sizes) * rounds * 4 * seconds)
    with progress.started():
        rates = [_measure(size, seconds, rounds, progress) for size in sizes]
    return [
        figure
        for size, rate in zip(sizes, rates, strict=True)
        for figure in _figures(size, rate, rates[0])
    ]


def _measure(size: Size, seconds: float, rounds: int, progress: Progress) -> _Rates:
    filling = (5 * size.companies + size.events) / FILLED_PER_SECOND
    with (
        progress.step(f"With {size}", filling + rounds * 4 * seconds),
        running_stage(companies=size.companies, events=size.events, tenants=1) as stage,
    ):
        traffic = stage.traffic(CUSTOMERS[0], companies=size.companies)
        offer = Offer(stage.product.port, traffic, seconds=seconds, warm_up=1.0)
        accepted, worked = [], []
        for _ in range(rounds):
            accepted.append(stage.post(offer).per_second)
            worked.append(stored_and_judged_per_second(stage))
        stage.check_nothing_lost(f"the rounds with {size}")
        return _Rates(median(accepted), median(worked))


def _figures(size: Size, rate: _Rates, first: _Rates) -> list[Figure]:
    measured = [
        ("ingress alone", rate.accepted, "requests/s", first.accepted),
        ("workers alone", rate.worked, "events/s", first.worked),
    ]
    return [
        Figure(f"{what}, {size}", value, unit)
        if rate is first
        else Figure(f"{what}, {size}", value, unit, "the first", value / base, 0.75)
        for what, value, unit, base in measured
    ]
