"""Throughput with few and with many companies, and with few and with many stored events."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from operator import attrgetter
from statistics import median

from bench.figures import Figure
from bench.load.generator import Offer
from bench.product.history import vacuum
from bench.product.stage import CUSTOMERS, Stage, running_stage
from bench.progress import Progress
from bench.reference.ceilings import empty_actor_per_second, empty_view
from bench.throughput import stored_and_judged_per_second

FILLED_PER_SECOND = 30_000
"""Rows, roughly, for the progress bar."""


@dataclass(frozen=True)
class Size:
    """The stored data: numbers of companies and of their events."""

    companies: int
    events: int

    def __str__(self) -> str:
        return f"{self.companies:,} companies, {self.events:,} events"


@dataclass(frozen=True)
class _Shares:
    """The throughput of the ingress relative to an empty view, and of workers to an empty actor."""

    accepted: float
    worked: float


def measure_growth(small: Size, large: Size, *, seconds: float, rounds: int) -> list[Figure]:
    """Measure ingress and workers alone at the small size, and with each number made large.

    A large size takes turns with a small one, because a machine's speed varies within minutes; the
    first one changes with every round. A figure is the median over the rounds of the share of the
    empty view or empty actor in the same turn. A ratio is the median over the rounds of the ratio
    to the small size in the same round.

    Raises:
        EventsLost: an event was accepted and is not stored.
    """
    pairs = [
        (small, Size(large.companies, small.events)),
        (small, Size(small.companies, large.events)),
    ]
    sizes = [size for pair in pairs for size in pair]
    progress = Progress(sum(map(_filling_seconds, sizes)) + len(sizes) * rounds * 6 * seconds)
    with progress.started():
        return [
            figure
            for pair in pairs
            for figure in _figures(pair, _in_turns(pair, seconds, rounds, progress))
        ]


def _in_turns(
    sizes: Sequence[Size], seconds: float, rounds: int, progress: Progress
) -> list[list[_Shares]]:
    """Return the shares of each size in each round."""
    with ExitStack() as running:
        stages = [_filled(size, running, progress) for size in sizes]
        indexes, turns = range(len(sizes)), []
        for number in range(1, rounds + 1):
            shares = {
                index: _turn(stages[index], sizes[index], seconds, 2 * number, progress)
                for index in (indexes if number % 2 else reversed(indexes))
            }
            turns.append([shares[index] for index in indexes])
        for stage, size in zip(stages, sizes, strict=True):
            stage.check_nothing_lost(f"the rounds with {size}")
    return turns


def _filling_seconds(size: Size) -> float:
    return (5 * size.companies + size.events) / FILLED_PER_SECOND


def _filled(size: Size, running: ExitStack, progress: Progress) -> Stage:
    with progress.step(f"Filling {size}", _filling_seconds(size)):
        stage = running_stage(companies=size.companies, events=size.events, tenants=1)
        return running.enter_context(stage)


def _turn(stage: Stage, size: Size, seconds: float, seed: int, progress: Progress) -> _Shares:
    """Measure a size in one round, with requests that no other round uses."""
    traffic = stage.traffic(CUSTOMERS[0], companies=size.companies)
    offer = Offer(stage.product.port, traffic, seconds=seconds, warm_up=1.0, seed=seed)
    with progress.step(f"Measuring {size}", 6 * seconds):
        view = empty_view(stage, offer).per_second
        accepted = stage.post(offer).per_second
        ceiling = empty_actor_per_second(stage, seconds=seconds)
        worked = stored_and_judged_per_second(stage)
        vacuum(stage.product)
        return _Shares(accepted / view, worked / ceiling)


def _figures(sizes: Sequence[Size], turns: Sequence[Sequence[_Shares]]) -> list[Figure]:
    """Return the figures of each size, with ratios to the first size."""
    figures = []
    for name, unit, share in (
        ("ingress alone", "of the empty view", attrgetter("accepted")),
        ("workers alone", "of the empty actor", attrgetter("worked")),
    ):
        for index, size in enumerate(sizes):
            value = median(share(turn[index]) for turn in turns)
            figure = Figure(f"{name}, {size}", value, unit)
            if index:
                ratio = median(share(turn[index]) / share(turn[0]) for turn in turns)
                figure = replace(figure, against="the first", ratio=ratio, target=0.75)
            figures.append(figure)
    return figures
