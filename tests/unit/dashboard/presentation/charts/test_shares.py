"""The bar of shares names its numbers, and omits shares of zero."""

import re

from dashboard.presentation.charts.shares import WIDTH, Share, draw_shares


def widths(bar: str) -> list[float]:
    return [float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)"', bar)]


def test_shares_are_in_proportion_to_their_numbers_and_fill_the_bar() -> None:
    bar = str(draw_shares("Companies", [Share("Good", 300, "good"), Share("Bad", 100, "bad")]))
    good, bad = widths(bar)
    assert 2.9 < good / bad < 3.0
    assert round(good + bad + 4) == WIDTH
    assert 'aria-label="Companies: 300 Good, 100 Bad"' in bar


def test_the_smallest_share_is_visible_and_a_share_of_zero_is_omitted() -> None:
    bar = str(draw_shares("C", [Share("Many", 100_000, "good"), Share("One", 1, "bad"),
                           Share("None", 0, "fair")]))  # fmt: skip
    assert len(widths(bar)) == 2
    assert min(widths(bar)) >= 4
    assert "None" not in bar


def test_without_shares_there_is_no_bar() -> None:
    assert str(draw_shares("C", [Share("None", 0, "good")])) == ""


def test_names_are_escaped() -> None:
    bar = str(draw_shares('"<b>', [Share('<i>"&', 1, "good")]))
    assert "<b>" not in bar
    assert "<i>" not in bar
    assert "&lt;i&gt;&#34;&amp;" in bar
