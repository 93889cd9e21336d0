"""Paired columns stay in the chart and are in proportion to their numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.presentation.charts.paired_columns import WIDTHS, Step, draw_paired_columns


@pytest.mark.parametrize("place", range(len(WIDTHS)))
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=60))
def test_columns_stay_in_the_chart_and_are_as_high_as_their_numbers(
    place: int, counts: list[tuple[int, int]]
) -> None:
    steps = [Step(str(index), *pair) for index, pair in enumerate(counts)]
    chart = draw_paired_columns(steps, ("raised", "cleared"))[place]
    numbers = [number for pair in counts for number in pair]
    for column in chart.columns:
        assert 0 <= column.y <= chart.base
        assert 0 <= column.x <= column.x + column.width <= chart.width
    by_number = sorted(zip(numbers, (column.height for column in chart.columns), strict=True))
    assert [height for _, height in by_number] == sorted(height for _, height in by_number)
    if any(numbers):
        assert by_number[-1][1] >= 70
    for column, following in zip(chart.columns, chart.columns[1:], strict=False):
        assert column.x < following.x
