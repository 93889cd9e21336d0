"""Numbers as columns side by side, such as counts over time or a distribution."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.presentation.charts.marks import Mark

LEFT, RIGHT, TOP, BOTTOM = 44, 8, 10, 24
HEIGHT = 168

LEAST = 2
"""Units of the drawing: the height of a column that is not nothing."""

LETTER_WIDTH, BETWEEN = 7, 14
"""Units of the drawing that a letter of a label takes, and the space between labels."""

NICE = (1, 2, 4, 6, 8, 10)
"""What an axis ends with, times a power of ten: a half of it is as plain."""


@dataclass(frozen=True)
class Column:
    """A number with its label below the axis; `said` is what it means, in words.

    `tone` is the class that colours it.
    """

    label: str
    number: float
    said: str
    tone: str = "plain"


@dataclass(frozen=True)
class Bar:
    """A column as it is drawn."""

    x: float
    y: float
    width: float
    height: float
    said: str
    tone: str


@dataclass(frozen=True)
class ColumnsChart:
    """All that is drawn, in units of the drawing."""

    width: int
    height: int
    left: int
    right: int
    base: int
    bars: Sequence[Bar]
    labels: Sequence[Mark]
    numbers: Sequence[Mark]


def draw(columns: Sequence[Column], *, width: int, unit: str = "") -> ColumnsChart:
    """Draw the columns from left to right; `width` in units, `unit` follows numbers at the axis.

    Labels that do not fit are left out at regular steps; columns without one never have any.
    """
    base, right = HEIGHT - BOTTOM, width - RIGHT
    top = ceiling(max((column.number for column in columns), default=0))
    room = (right - LEFT) / max(len(columns), 1)
    gap = min(room * 0.25, 4)
    bars = []
    for place, column in enumerate(columns):
        tall = column.number / top * (base - TOP)
        height = round(max(tall, LEAST), 1) if column.number > 0 else 0
        bars.append(
            Bar(
                x=round(LEFT + place * room + gap / 2, 1),
                y=round(base - height, 1),
                width=round(room - gap, 1),
                height=height,
                said=column.said,
                tone=column.tone,
            )
        )
    return ColumnsChart(
        width=width,
        height=HEIGHT,
        left=LEFT,
        right=right,
        base=base,
        bars=bars,
        labels=_labels(columns, room),
        numbers=[
            Mark(round(base - share * (base - TOP), 1), f"{_plain(top * share)}{unit}")
            for share in ((0, 0.5, 1) if top > 1 else (0, 1))
        ],
    )


def ceiling(most: float) -> int:
    """The plain number that an axis ends with so that `most` fits below; 1 at the least."""
    power = 1
    while power * NICE[-1] < most:
        power *= 10
    return next(nice * power for nice in NICE if nice * power >= most)


def _labels(columns: Sequence[Column], room: float) -> list[Mark]:
    """Every label, or every second and so on, as many as have room beside each other."""
    labelled = [place for place, column in enumerate(columns) if column.label]
    if not labelled:
        return []
    longest = max(len(columns[place].label) for place in labelled)
    apart = (labelled[-1] - labelled[0]) * room / max(len(labelled) - 1, 1)
    every = -(-(longest * LETTER_WIDTH + BETWEEN) // max(apart, 1)) if len(labelled) > 1 else 1
    return [
        Mark(round(LEFT + (place + 0.5) * room, 1), columns[place].label)
        for place in labelled[:: int(every)]
    ]


def _plain(number: float) -> str:
    return f"{number:,.0f}"
