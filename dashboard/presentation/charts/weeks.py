"""Columns for the weeks of a time axis, such as the one of a history chart above them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.presentation.charts.axes import Mark
from dashboard.presentation.charts.columns import MIN_HEIGHT, Bar, axis_end
from dashboard.presentation.charts.steps import LEFT, RIGHT
from dashboard.presentation.wording import grouped
from rules.durations import pluralize
from services.time_zones import start_of_day

HEIGHT, TOP = 64, 8
BASE = HEIGHT - 4
GAP = 2
"""Drawing units."""

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class WeeksChart:
    """The whole drawing, in drawing units."""

    width: int
    height: int
    left: int
    right: int
    bars: Sequence[Bar]
    numbers: Sequence[Mark]
    labels: Sequence[Mark] = ()
    """None: the axis of weeks is below the chart that it belongs to."""


def draw(
    numbers: Mapping[date, int],
    since: datetime,
    until: datetime,
    *,
    width: int,
    zone: ZoneInfo,
    noun: str = "event",
) -> WeeksChart:
    """Draw the number of each week, by its Monday, from `since` to `until`.

    The axis is that of `steps.draw`. A week that is only partly on it has a narrower column, whose
    height is that of the whole week.
    """
    right = width - RIGHT
    top = axis_end(max(numbers.values(), default=0))

    def x_at(at: datetime) -> float:
        place = (min(max(at, since), until) - since) / (until - since)
        return LEFT + place * (right - LEFT)

    bars = []
    for monday, number in sorted(numbers.items()):
        begins = x_at(start_of_day(monday, zone))
        ends = x_at(start_of_day(monday + WEEK, zone))
        height = max(number / top * (BASE - TOP), MIN_HEIGHT)
        if number and ends > begins:
            bars.append(
                Bar(
                    round(begins, 1),
                    round(BASE - height, 1),
                    round(max(ends - begins - GAP, 1), 1),
                    round(height, 1),
                    f"Week of {monday.day} {monday:%b}: {pluralize(grouped(number), noun)}",
                    "plain",
                )
            )
    marks = [Mark(BASE, "0"), Mark(TOP, f"{top:,}")]
    return WeeksChart(width, HEIGHT, LEFT, right, bars, marks)
