"""The course of one or more stacked numbers over time, as areas with labelled axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dashboard.presentation.charts.axes import EVEN_ENDS, Mark, round_up

WIDE, NARROW, HEIGHT = 560, 330, 180
LEFT, BOTTOM, TOP = 52, 24, 10

LABEL_WIDTH = 68
"""Drawing units that a label of the time axis needs."""


@dataclass(frozen=True)
class Series:
    """A number on each day; `tone` is the CSS class of its colour."""

    name: str
    numbers: Sequence[Decimal | int]
    tone: str


@dataclass(frozen=True)
class Area:
    """A drawn series; `path` is closed along the series below it."""

    name: str
    tone: str
    path: str


@dataclass(frozen=True)
class Drawing:
    """The drawing for one width of screen, in drawing units."""

    areas: tuple[Area, ...]
    numbers: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    width: int
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Course:
    """The chart, drawn for a desktop and for a phone."""

    wide: Drawing
    narrow: Drawing


def draw_course(days: Sequence[date], series: Sequence[Series]) -> Course:
    """Draw the series one upon the other, the first one at the bottom; negative numbers as 0."""
    return Course(_draw(days, series, WIDE), _draw(days, series, NARROW))


def _draw(days: Sequence[date], series: Sequence[Series], width: int) -> Drawing:
    base = HEIGHT - BOTTOM
    stacked = [[Decimal(0)] * len(days)]
    for one in series:
        below = stacked[-1]
        stacked.append(
            [low + max(Decimal(n), Decimal(0)) for low, n in zip(below, one.numbers, strict=True)]
        )
    top = round_up(float(max(stacked[-1], default=Decimal(0))), EVEN_ENDS)
    step = (width - LEFT) / max(1, len(days) - 1)
    xs = [round(LEFT + step * index, 1) for index in range(len(days))]

    def y(number: Decimal) -> float:
        return round(base - (base - TOP) * float(number) / top, 1)

    areas = []
    for one, below, above in zip(series, stacked, stacked[1:], strict=False):
        upper = [f"{x} {y(number)}" for x, number in zip(xs, above, strict=True)]
        lower = [f"{x} {y(number)}" for x, number in zip(xs, below, strict=True)]
        areas.append(Area(one.name, one.tone, f"M{'L'.join([*upper, *reversed(lower)])}Z"))
    label_step = -(-len(days) // ((width - LEFT) // LABEL_WIDTH)) or 1
    return Drawing(
        width=width,
        areas=tuple(areas),
        numbers=tuple(Mark(y(Decimal(n)), _short(n)) for n in sorted({0, top // 2, top})),
        labels=tuple(
            Mark(x, f"{day.day} {day:%b}")
            for x, day in list(zip(xs, days, strict=True))[::label_step]
        ),
    )


def _short(number: int) -> str:
    """Return a number as an axis has it: `1,500`, `40k`, `2.5M`."""
    for size, letter in ((1_000_000_000, "B"), (1_000_000, "M"), (10_000, "k")):
        if number >= size:
            unit = 1_000 if letter == "k" else size
            return f"{number / unit:g}{letter}"
    return f"{number:,}"
