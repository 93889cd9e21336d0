"""A column chart, for counts over time or a distribution."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.presentation.charts.axes import Mark, round_up

LEFT, RIGHT, TOP, BOTTOM = 44, 8, 10, 24
HEIGHT = 168

MIN_HEIGHT = 2
"""Drawing units: the height of the smallest column that is not zero."""

LETTER_WIDTH, LABEL_GAP = 7, 14
"""Drawing units: the width of a letter of a label, and the space between labels."""

AXIS_ENDS = (1, 2, 4, 6, 8, 10)
"""The numbers that an axis may end with, times a power of ten; half of each is round, too."""


@dataclass(frozen=True)
class Column:
    """A number with its label below the axis, and its description in words.

    `tone` is the CSS class of its colour.
    """

    label: str
    number: float
    description: str
    tone: str = "plain"


@dataclass(frozen=True)
class Bar:
    """A drawn column."""

    x: float
    y: float
    width: float
    height: float
    description: str
    tone: str


@dataclass(frozen=True)
class ColumnsChart:
    """The whole drawing, in drawing units."""

    width: int
    height: int
    left: int
    right: int
    base: int
    bars: Sequence[Bar]
    labels: Sequence[Mark]
    numbers: Sequence[Mark]


def draw(columns: Sequence[Column], *, width: int, unit: str = "") -> ColumnsChart:
    """Draw the columns from left to right.

    `width` is in drawing units; `unit` follows the numbers of the axis. If the labels do not all
    fit, only every second, third, ... is drawn.
    """
    base, right = HEIGHT - BOTTOM, width - RIGHT
    top = axis_end(max((column.number for column in columns), default=0))
    spacing = (right - LEFT) / max(len(columns), 1)
    gap = min(spacing * 0.25, 4)
    bars = []
    for index, column in enumerate(columns):
        exact_height = column.number / top * (base - TOP)
        height = round(max(exact_height, MIN_HEIGHT), 1) if column.number > 0 else 0
        bars.append(
            Bar(
                x=round(LEFT + index * spacing + gap / 2, 1),
                y=round(base - height, 1),
                width=round(spacing - gap, 1),
                height=height,
                description=column.description,
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
        labels=_labels(columns, spacing),
        numbers=[
            Mark(round(base - share * (base - TOP), 1), f"{top * share:,.0f}{unit}")
            for share in ((0, 0.5, 1) if top > 1 else (0, 1))
        ],
    )


def axis_end(maximum: float) -> int:
    """Return the round number, at least 1, that the axis of a chart with this maximum ends with."""
    return round_up(maximum, AXIS_ENDS)


def _labels(columns: Sequence[Column], spacing: float) -> list[Mark]:
    """Return every label, or as many at regular steps as fit side by side."""
    labelled = [index for index, column in enumerate(columns) if column.label]
    if not labelled:
        return []
    longest = max(len(columns[index].label) for index in labelled)
    distance = (labelled[-1] - labelled[0]) * spacing / max(len(labelled) - 1, 1)
    label_width = longest * LETTER_WIDTH + LABEL_GAP
    step = -(-label_width // max(distance, 1)) if len(labelled) > 1 else 1
    return [
        Mark(round(LEFT + (index + 0.5) * spacing, 1), columns[index].label)
        for index in labelled[:: int(step)]
    ]
