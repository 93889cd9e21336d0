"""Two counts for each step of time, side by side, as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 760, 190
LEFT, BOTTOM, TOP = 40, 26, 12
MOST_LABELS = 8


@dataclass(frozen=True)
class Step:
    """What the step is called, and its two counts."""

    label: str
    first: int
    second: int


@dataclass(frozen=True)
class Column:
    """A rectangle of the chart; `of` is first or second."""

    of: str
    x: float
    y: float
    width: float
    height: float
    said: str


@dataclass(frozen=True)
class PairedColumns:
    """A chart, in units of its own; `marks` and `labels` are (place, text) of the axes."""

    columns: tuple[Column, ...]
    marks: tuple[tuple[float, str], ...]
    labels: tuple[tuple[float, str], ...]
    steps: tuple[Step, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def paired_columns(steps: Sequence[Step], names: tuple[str, str]) -> PairedColumns:
    """The chart of some steps of time; `names` are those of the two counts."""
    base = HEIGHT - BOTTOM
    top = _round_up(max((max(step.first, step.second) for step in steps), default=0))
    room = (WIDTH - LEFT) / max(1, len(steps))
    wide = min(room * 0.38, 26)
    columns, labels = [], []
    every = -(-len(steps) // MOST_LABELS) or 1
    for place, step in enumerate(steps):
        middle = LEFT + room * (place + 0.5)
        for of, number, x, name in (
            ("first", step.first, middle - wide, names[0]),
            ("second", step.second, middle, names[1]),
        ):
            tall = (base - TOP) * number / top
            said = f"{step.label}: {number} {name}"
            columns.append(
                Column(
                    of, round(x, 1), round(base - tall, 1), round(wide - 1, 1), round(tall, 1), said
                )
            )
        if place % every == 0:
            labels.append((round(middle, 1), step.label))
    marks = tuple(
        (round(base - (base - TOP) * number / top, 1), f"{number:,}")
        for number in sorted({0, top // 2, top})
    )
    return PairedColumns(tuple(columns), marks, tuple(labels), tuple(steps))


def _round_up(number: int) -> int:
    """An even number not far above, such as 8, 16 or 120."""
    scale = 1
    while number > 20 * scale:
        scale *= 10
    return next(top * scale for top in (2, 4, 6, 8, 10, 12, 16, 20) if top * scale >= number)
