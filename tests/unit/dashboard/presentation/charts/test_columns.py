"""Columns are in proportion to their numbers, and labels never overlap; sparklines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.presentation.charts.columns import (
    LETTER_WIDTH,
    MIN_HEIGHT,
    TOP,
    Column,
    axis_end,
    draw,
)
from dashboard.presentation.charts.trend import draw_trend


@pytest.mark.parametrize(
    ("maximum", "end"), [(0, 1), (1, 1), (2, 2), (3, 4), (9, 10), (10, 10), (11, 20), (256, 400)]
)
def test_an_axis_ends_with_a_round_number(maximum: int, end: int) -> None:
    assert axis_end(maximum) == end


@given(st.integers(0, 10**9))
def test_the_axis_ends_above_its_maximum_but_not_far(maximum: int) -> None:
    assert maximum <= axis_end(maximum) <= max(2 * maximum, 1)


def test_a_column_is_in_proportion_and_the_smallest_is_visible() -> None:
    chart = draw([Column("a", n, "description") for n in (0, 1, 500, 1000)], width=540)
    full_height = chart.base - TOP
    assert [bar.height for bar in chart.bars] == [0, MIN_HEIGHT, full_height / 2, full_height]
    assert all(bar.y + bar.height == chart.base for bar in chart.bars)
    assert [mark.text for mark in chart.numbers] == ["0", "500", "1,000"]


@given(st.lists(st.integers(0, 100), max_size=60), st.sampled_from([330, 540]))
def test_columns_and_labels_do_not_overlap(numbers: list[int], width: int) -> None:
    chart = draw([Column(f"{n} to {n}", n, "") for n in numbers], width=width)
    for before, after in zip(chart.bars, chart.bars[1:], strict=False):
        assert before.x + before.width <= after.x + 0.2
    if chart.bars:
        assert chart.bars[-1].x + chart.bars[-1].width <= chart.right + 0.2
    for label, following in zip(chart.labels, chart.labels[1:], strict=False):
        width = LETTER_WIDTH * (len(label.text) + len(following.text)) / 2
        assert following.at - label.at >= width


def test_a_trend_needs_two_numbers_and_quotes_its_title() -> None:
    assert not draw_trend([1], "t")
    line = draw_trend([0, 0, 3], '<b>"')
    assert 'aria-label="&lt;b&gt;&#34;"' in line
    assert 'class="line" d="M0.0 26.0L80.0 26.0L160.0 2.0"' in line
