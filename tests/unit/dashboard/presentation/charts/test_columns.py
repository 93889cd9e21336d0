"""Columns are as high as their numbers say, and their labels never run into each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.presentation.charts.columns import LEAST, LETTER_WIDTH, TOP, Column, ceiling, draw
from dashboard.presentation.charts.trend import trend


@pytest.mark.parametrize(
    ("most", "end"), [(0, 1), (1, 1), (2, 2), (3, 4), (9, 10), (10, 10), (11, 20), (256, 400)]
)
def test_an_axis_ends_with_a_plain_number(most: int, end: int) -> None:
    assert ceiling(most) == end


@given(st.integers(0, 10**9))
def test_what_is_drawn_fits_below_the_end_of_the_axis(most: int) -> None:
    assert most <= ceiling(most) <= max(2 * most, 1)


def test_a_column_is_as_high_as_its_share_and_little_is_seen() -> None:
    chart = draw([Column("a", n, "said") for n in (0, 1, 500, 1000)], width=540)
    room = chart.base - TOP
    assert [bar.height for bar in chart.bars] == [0, LEAST, room / 2, room]
    assert all(bar.y + bar.height == chart.base for bar in chart.bars)
    assert [mark.text for mark in chart.numbers] == ["0", "500", "1,000"]


@given(st.lists(st.integers(0, 100), max_size=60), st.sampled_from([330, 540]))
def test_columns_and_labels_lie_beside_each_other(numbers: list[int], width: int) -> None:
    chart = draw([Column(f"{n} to {n}", n, "") for n in numbers], width=width)
    for before, after in zip(chart.bars, chart.bars[1:], strict=False):
        assert before.x + before.width <= after.x + 0.2
    if chart.bars:
        assert chart.bars[-1].x + chart.bars[-1].width <= chart.right + 0.2
    for one, other in zip(chart.labels, chart.labels[1:], strict=False):
        assert other.at - one.at >= LETTER_WIDTH * (len(one.text) + len(other.text)) / 2


def test_a_trend_needs_two_numbers_and_quotes_its_title() -> None:
    assert not trend([1], "t")
    line = trend([0, 0, 3], '<b>"')
    assert 'aria-label="&lt;b&gt;&#34;"' in line
    assert 'class="line" d="M0.0 26.0L80.0 26.0L160.0 2.0"' in line
