"""The trajectories of customers: how their usage develops over the year."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from random import Random

Points = list[tuple[float, float]]
"""Days before the present, with the share of usual usage at that time; linear in between."""


@dataclass(frozen=True)
class Trajectory:
    """The development of a customer. All times are counted back from the present, in days.

    `joined` is the time of the first event, `tickets` the start of a storm of support tickets, and
    `steps` are the times at which more seats were bought. `silences` are periods without events,
    from and to, as durations. `nps` maps times to answers. `unpaid` is how long the newest invoice
    has been open. `adoption` is the share of seats in use.
    """

    name: str
    joined: float
    usage: Points
    adoption: float
    nps: Mapping[float, int]
    silences: Sequence[tuple[timedelta, timedelta]] = ()
    steps: Sequence[float] = ()
    tickets: float | None = None
    unpaid: float = 0.0
    renews_in: float | None = None

    def level(self, days_ago: float) -> float:
        """Return the share of the usual usage at a time before the present."""
        points = self.usage
        if days_ago >= points[0][0]:
            return points[0][1]
        for (before, high), (after, low) in pairwise(points):
            if days_ago >= after:
                return high + (low - high) * (before - days_ago) / (before - after)
        return points[-1][1]


YEAR = 365.0
_NOW = timedelta(0)


def _joined(chance: Random) -> float:
    """Choose when a customer joined: most a year ago, the others since, at a growing rate."""
    if chance.random() < 0.6:
        return YEAR - chance.uniform(0, 6)
    return float(75 + (YEAR - 75) * chance.random() ** 1.3)


def _content(chance: Random, *, joined: float) -> dict[float, int]:
    """Return the answers of a satisfied customer, about every half year."""
    days = (chance.uniform(190, 330), chance.uniform(15, 170))
    return {day: chance.choice((7, 8, 8, 9, 9, 10)) for day in days if day < joined - 20}


def _steady(chance: Random) -> Trajectory:
    joined = _joined(chance)
    return Trajectory(
        "steady", joined, [(joined, 0.5), (joined - 30, 1.0), (0, chance.uniform(0.95, 1.1))],
        chance.uniform(0.8, 1.0), _content(chance, joined=joined),
    )  # fmt: skip


def _growing(chance: Random) -> Trajectory:
    joined = max(_joined(chance), 120)
    first = joined * chance.uniform(0.5, 0.8)
    steps = [first] if chance.random() < 0.6 else [first, first * chance.uniform(0.2, 0.5)]
    return Trajectory(
        "growing", joined, [(joined, 0.4), (joined - 40, 0.9), (0, 1.35)],
        chance.uniform(0.85, 1.0), _content(chance, joined=joined), steps=steps,
    )  # fmt: skip


def _beginning(chance: Random) -> Trajectory:
    joined = chance.uniform(0.5, 70)
    settled = max(0.0, joined - chance.uniform(10, 35))
    return Trajectory(
        "beginning", joined, [(joined, 0.45), (settled, 1.1), (0, 1.1)] if settled
        else [(joined, 0.45), (0, 0.9)], chance.uniform(0.75, 1.0), {},
    )  # fmt: skip


def _declining(chance: Random) -> Trajectory:
    joined = max(_joined(chance), 170)
    started = chance.uniform(40, 120)
    answers = _content(chance, joined=joined)
    if chance.random() < 0.5:
        answers[started * 0.4] = chance.choice((3, 4, 5, 5, 6))
    return Trajectory(
        "declining", joined,
        [(joined, 0.6), (joined - 30, 1), (started, 1), (0, chance.uniform(0.12, 0.35))],
        chance.uniform(0.7, 0.95), answers,
        renews_in=chance.uniform(5, 50) if chance.random() < 0.3 else None,
    )  # fmt: skip


def _leaving(chance: Random) -> Trajectory:
    """Left for good."""
    joined = YEAR - chance.uniform(0, 60)
    gone = chance.uniform(25, 260)
    return Trajectory(
        "gone", joined, [(joined, 0.6), (joined - 30, 1), (gone + 50, 0.9), (gone, 0.1)],
        chance.uniform(0.6, 0.9), {gone + 20: chance.choice((1, 2, 3, 4, 6))},
        silences=[(timedelta(days=gone), _NOW)],
    )  # fmt: skip


def _recovered(chance: Random) -> Trajectory:
    joined = YEAR - chance.uniform(0, 80)
    low = chance.uniform(45, 220)
    answers = {low + 10: chance.choice((3, 4, 5)), max(low - 40, 3): chance.choice((7, 8, 9))}
    return Trajectory(
        "recovered", joined,
        [(joined, 0.6), (joined - 30, 1), (low + 45, 1), (low, 0.1), (low - 25, 1), (0, 1.05)],
        chance.uniform(0.8, 1.0), answers,
    )  # fmt: skip


def _unsteady(chance: Random) -> Trajectory:
    """Alternates between weeks of high and of low usage, all year long."""
    joined = _joined(chance)
    points, day, high = [(joined, 0.8)], joined, True
    while day > 14:
        day -= chance.uniform(14, 32)
        high = not high
        points.append(
            (max(day, 0), chance.uniform(0.7, 1.1) if high else chance.uniform(0.05, 0.2))
        )
    return Trajectory(
        "unsteady", joined, points, chance.uniform(0.6, 0.9), _content(chance, joined=joined)
    )


def _half_used(chance: Random) -> Trajectory:
    """Has far too many seats; the few users are satisfied."""
    joined = _joined(chance)
    return Trajectory(
        "half used", joined, [(joined, 0.5), (joined - 30, 1), (0, 1)],
        chance.uniform(0.12, 0.42), _content(chance, joined=joined),
    )  # fmt: skip


def _unhappy(chance: Random) -> Trajectory:
    joined = max(_joined(chance), 100)
    answers = {chance.uniform(10, 60): chance.choice((2, 3, 4, 5))}
    return Trajectory(
        "unhappy", joined, [(joined, 0.6), (joined - 30, 1), (0, 0.85)],
        chance.uniform(0.75, 1.0), answers,
        tickets=chance.choice((None, chance.uniform(0.3, 3), chance.uniform(10, 90))),
        renews_in=chance.uniform(5, 55) if chance.random() < 0.25 else None,
    )  # fmt: skip


def _unpaid(chance: Random) -> Trajectory:
    joined = max(_joined(chance), 100)
    return Trajectory(
        "unpaid", joined, [(joined, 0.6), (joined - 30, 1), (0, 1)],
        chance.uniform(0.8, 1.0), _content(chance, joined=joined), unpaid=chance.uniform(5, 20),
    )  # fmt: skip


def _silent(*days: float) -> Callable[[Random], Trajectory]:
    """Silent for one of these numbers of days: changes status in the last hours or next days."""

    def make(chance: Random) -> Trajectory:
        joined = max(_joined(chance), 120)
        started = timedelta(days=chance.choice(days), hours=chance.uniform(1, 20))
        return Trajectory(
            "silent", joined, [(joined, 0.6), (joined - 30, 1), (0, 1)],
            chance.uniform(0.8, 1.0), _content(chance, joined=joined),
            silences=[(started, _NOW)],
        )  # fmt: skip

    return make


def _back(chance: Random) -> Trajectory:
    """Was silent, and returned today."""
    joined = max(_joined(chance), 120)
    away = timedelta(days=chance.uniform(8.9, 10)), timedelta(hours=chance.uniform(2, 20))
    return Trajectory(
        "back", joined, [(joined, 0.6), (joined - 30, 1), (0, 1)],
        chance.uniform(0.85, 1.0), _content(chance, joined=joined), silences=[away],
    )  # fmt: skip


SHARES: tuple[tuple[Callable[[Random], Trajectory], float], ...] = (
    (_steady, 32), (_growing, 20), (_beginning, 9), (_declining, 9), (_leaving, 3.6),
    (_recovered, 6), (_unsteady, 5), (_half_used, 5.5), (_unhappy, 5), (_unpaid, 2),
    (_silent(8), 1), (_silent(5, 6, 7), 1.6), (_silent(19, 20), 0.4), (_silent(21), 0.3),
    (_back, 1),
)  # fmt: skip
"""The trajectories, with their percentages of customers."""

FIRST = (_steady, _silent(8), _back, _silent(5, 6, 7), _leaving)
"""The trajectories of the first customers, so that a small demo shows the main cases too."""


def choose_trajectory(number: int, chance: Random) -> Trajectory:
    """Choose the trajectory of the customer with a number, counted from 0."""
    if number < len(FIRST):
        return FIRST[number](chance)
    makers = [maker for maker, _ in SHARES]
    return chance.choices(makers, [share for _, share in SHARES])[0](chance)
