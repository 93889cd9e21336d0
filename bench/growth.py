"""What the product takes with few and with many companies, and with few and many stored events."""

from dataclasses import dataclass
from statistics import median

from bench.ceilings import empty_view, hand_out
from bench.figures import Figure
from bench.load import Offer
from bench.progress import Progress
from bench.stage import CUSTOMERS, Stage, running_stage
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
class _Shares:
    """What the ingress does of an empty view, and the workers of an empty actor."""

    accepted: float
    worked: float


def measure_growth(small: Size, large: Size, *, seconds: float, rounds: int) -> list[Figure]:
    """Ingress and workers alone at the small size, and with each of its two numbers made large.

    Each figure is the median of several rounds, and a share of what an empty view and an empty
    actor did in that round: the sizes are measured minutes apart, and a machine's speed varies.

    Raises:
        EventsLost: an event was accepted and is not stored.
    """
    sizes = [small, Size(large.companies, small.events), Size(small.companies, large.events)]
    rows = sum(5 * size.companies + size.events for size in sizes)
    progress = Progress(rows / FILLED_PER_SECOND + len(sizes) * rounds * 6 * seconds)
    with progress.started():
        shares = [_measure(size, seconds, rounds, progress) for size in sizes]
    return [
        figure
        for size, share in zip(sizes, shares, strict=True)
        for figure in _figures(size, share, shares[0])
    ]


def _measure(size: Size, seconds: float, rounds: int, progress: Progress) -> _Shares:
    filling = (5 * size.companies + size.events) / FILLED_PER_SECOND
    with (
        progress.step(f"With {size}", filling + rounds * 6 * seconds),
        running_stage(companies=size.companies, events=size.events, tenants=1) as stage,
    ):
        traffic = stage.traffic(CUSTOMERS[0], companies=size.companies)
        offer = Offer(stage.product.port, traffic, seconds=seconds, warm_up=1.0)
        rounds_done = [_round(stage, offer) for _ in range(rounds)]
        stage.check_nothing_lost(f"the rounds with {size}")
        return _Shares(
            median(one.accepted for one in rounds_done), median(one.worked for one in rounds_done)
        )


def _round(stage: Stage, offer: Offer) -> _Shares:
    view = empty_view(stage, offer).per_second
    accepted = stage.post(offer).per_second
    handed_out = hand_out(stage, seconds=offer.seconds).stock
    return _Shares(accepted / view, stored_and_judged_per_second(stage) / handed_out)


def _figures(size: Size, share: _Shares, first: _Shares) -> list[Figure]:
    measured = [
        ("ingress alone", share.accepted, "of the empty view", first.accepted),
        ("workers alone", share.worked, "of the empty actor", first.worked),
    ]
    return [
        Figure(f"{what}, {size}", value, unit)
        if share is first
        else Figure(f"{what}, {size}", value, unit, "the first", value / base, 0.75)
        for what, value, unit, base in measured
    ]
