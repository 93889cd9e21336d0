"""What the product takes with few and with many companies, and with few and many stored events."""

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
from bench.reference.ceilings import empty_view, hand_out
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

    Each large one takes turns with a small one, since a machine's speed varies within minutes; who
    begins changes with every round. A figure is the median of several rounds, and a share of what
    an empty view and an empty actor did in its turn; a ratio is the median of those to the small
    size in the same round.

    Raises:
        EventsLost: an event was accepted and is not stored.
    """
    pairs = [
        (small, Size(large.companies, small.events)),
        (small, Size(small.companies, large.events)),
    ]
    sizes = [size for pair in pairs for size in pair]
    progress = Progress(sum(map(_filling, sizes)) + len(sizes) * rounds * 6 * seconds)
    with progress.started():
        return [
            figure
            for pair in pairs
            for figure in _figures(pair, _in_turns(pair, seconds, rounds, progress))
        ]


def _in_turns(
    sizes: Sequence[Size], seconds: float, rounds: int, progress: Progress
) -> list[list[_Shares]]:
    """What each size does in each round."""
    with ExitStack() as running:
        stages = [_filled(size, running, progress) for size in sizes]
        places, turns = range(len(sizes)), []
        for number in range(1, rounds + 1):
            shares = {
                place: _turn(stages[place], sizes[place], seconds, 2 * number, progress)
                for place in (places if number % 2 else reversed(places))
            }
            turns.append([shares[place] for place in places])
        for stage, size in zip(stages, sizes, strict=True):
            stage.check_nothing_lost(f"the rounds with {size}")
    return turns


def _filling(size: Size) -> float:
    return (5 * size.companies + size.events) / FILLED_PER_SECOND


def _filled(size: Size, running: ExitStack, progress: Progress) -> Stage:
    with progress.step(f"Filling {size}", _filling(size)):
        stage = running_stage(companies=size.companies, events=size.events, tenants=1)
        return running.enter_context(stage)


def _turn(stage: Stage, size: Size, seconds: float, seed: int, progress: Progress) -> _Shares:
    """What a size does in a round, with requests that no other round has."""
    traffic = stage.traffic(CUSTOMERS[0], companies=size.companies)
    offer = Offer(stage.product.port, traffic, seconds=seconds, warm_up=1.0, seed=seed)
    with progress.step(f"Measuring {size}", 6 * seconds):
        view = empty_view(stage, offer).per_second
        accepted = stage.post(offer).per_second
        handed_out = hand_out(stage, seconds=seconds).stock
        worked = stored_and_judged_per_second(stage)
        vacuum(stage.product)
        return _Shares(accepted / view, worked / handed_out)


def _figures(sizes: Sequence[Size], turns: Sequence[Sequence[_Shares]]) -> list[Figure]:
    """Those of each size, the first of which is what the others are held against."""
    figures = []
    for what, of, share in (
        ("ingress alone", "of the empty view", attrgetter("accepted")),
        ("workers alone", "of the empty actor", attrgetter("worked")),
    ):
        for place, size in enumerate(sizes):
            value = median(share(turn[place]) for turn in turns)
            figure = Figure(f"{what}, {size}", value, of)
            if place:
                ratio = median(share(turn[place]) / share(turn[0]) for turn in turns)
                figure = replace(figure, against="the first", ratio=ratio, target=0.75)
            figures.append(figure)
    return figures
