"""A column chart of two counts for each period, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.presentation.charts.axes import Mark, round_up

WIDTH, HEIGHT = 760, 190
LEFT, BOTTOM, TOP = 40, 26, 12
MAX_LABELS = 8

AXIS_ENDS = (2, 4, 6, 8, 10, 12, 16, 20)
"""The numbers that an axis may end with, times a power of ten; even, for a mark in the middle."""


@dataclass(frozen=True)
class Step:
    """A period of time with its two counts."""

    label: str
    first: int
    second: int


@dataclass(frozen=True)
class Column:
    """A drawn column; `series` is first or second."""

    series: str
    x: float
    y: float
    width: float
    height: float
    description: str


@dataclass(frozen=True)
class PairedColumns:
    """The whole drawing, in drawing units."""

    columns: tuple[Column, ...]
    numbers: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    steps: tuple[Step, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def draw_paired_columns(steps: Sequence[Step], names: tuple[str, str]) -> PairedColumns:
    """Draw the periods from left to right; `names` name the two counts."""
    base = HEIGHT - BOTTOM
    top = round_up(max((max(step.first, step.second) for step in steps), default=0), AXIS_ENDS)
    spacing = (WIDTH - LEFT) / max(1, len(steps))
    width = min(spacing * 0.38, 26)
    columns, labels = [], []
    label_step = -(-len(steps) // MAX_LABELS) or 1
    for index, step in enumerate(steps):
        middle = LEFT + spacing * (index + 0.5)
        for series, number, x, name in (
            ("first", step.first, middle - width, names[0]),
            ("second", step.second, middle, names[1]),
        ):
            height = (base - TOP) * number / top
            columns.append(
                Column(
                    series,
                    x=round(x, 1),
                    y=round(base - height, 1),
                    width=round(width - 1, 1),
                    height=round(height, 1),
                    description=f"{step.label}: {number} {name}",
                )
            )
        if index % label_step == 0:
            labels.append(Mark(round(middle, 1), step.label))
    numbers = tuple(
        Mark(round(base - (base - TOP) * number / top, 1), f"{number:,}")
        for number in sorted({0, top // 2, top})
    )
    return PairedColumns(tuple(columns), numbers, tuple(labels), tuple(steps))
