"""A column chart of two counts for each period, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.presentation.charts.axes import EVEN_ENDS, Mark, round_up

WIDTHS = {"wide": 1080, "middle": 560, "narrow": 330}
"""The widths of the drawings; a page shows the one that fits where it is."""

HEIGHT = 190
LEFT, BOTTOM, TOP = 40, 26, 12

LABEL_WIDTH = 64
"""Drawing units that a label of the time axis needs."""


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
class Drawing:
    """The drawing for one width, in drawing units; `size` is its name in `WIDTHS`."""

    size: str
    columns: tuple[Column, ...]
    numbers: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM

    @property
    def width(self) -> int:
        """The width of the drawing."""
        return WIDTHS[self.size]


def draw_paired_columns(steps: Sequence[Step], names: tuple[str, str]) -> list[Drawing]:
    """Draw the periods from left to right, in each size; `names` name the two counts."""
    return [_draw(steps, names, size) for size in WIDTHS]


def _draw(steps: Sequence[Step], names: tuple[str, str], size: str) -> Drawing:
    base, chart_width = HEIGHT - BOTTOM, WIDTHS[size]
    top = round_up(max((max(step.first, step.second) for step in steps), default=0), EVEN_ENDS)
    spacing = (chart_width - LEFT) / max(1, len(steps))
    width = min(spacing * 0.38, 26)
    columns, labels = [], []
    label_step = -(-len(steps) // ((chart_width - LEFT) // LABEL_WIDTH)) or 1
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
        if index % label_step == 0 and middle + LABEL_WIDTH / 3 <= chart_width:
            labels.append(Mark(round(middle, 1), step.label))
    numbers = tuple(
        Mark(round(base - (base - TOP) * number / top, 1), f"{number:,}")
        for number in sorted({0, top // 2, top})
    )
    return Drawing(size, tuple(columns), numbers, tuple(labels))
