"""The axes of a course end near its largest number, and have as many labels as fit."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.presentation.charts.course import Series, draw_course

WEEKS = [date(2026, 1, 5) + timedelta(weeks=number) for number in range(53)]


@given(st.integers(min_value=10, max_value=10**12))
def test_the_axis_ends_less_than_two_fifths_above_the_largest_number(largest: int) -> None:
    chart = draw_course(WEEKS, [Series("At risk", [largest] * len(WEEKS), "bad")]).wide
    heights = sorted({mark.at for mark in chart.numbers})
    top = float(chart.areas[0].path.removeprefix("M").split("L")[0].split()[1])
    assert (chart.base - heights[0]) / (chart.base - top) < 1.4


@pytest.mark.parametrize(("screen", "most"), [("wide", 7), ("narrow", 4)])
def test_a_narrow_drawing_has_fewer_labels(screen: str, most: int) -> None:
    chart = getattr(draw_course(WEEKS, [Series("At risk", [1] * len(WEEKS), "bad")]), screen)
    assert 2 < len(chart.labels) <= most
    assert all(label.at + 30 <= chart.width for label in chart.labels)
