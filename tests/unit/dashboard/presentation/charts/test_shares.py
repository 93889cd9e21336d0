"""The bar of shares says its numbers, and leaves out what is nothing."""

import re

from dashboard.presentation.charts.shares import WIDTH, Share, shares


def widths(bar: str) -> list[float]:
    return [float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)"', bar)]


def test_shares_are_as_wide_as_their_numbers_and_fill_the_bar() -> None:
    bar = str(shares("Companies", [Share("Good", 300, "good"), Share("Bad", 100, "bad")]))
    good, bad = widths(bar)
    assert 2.9 < good / bad < 3.0
    assert round(good + bad + 4) == WIDTH
    assert 'aria-label="Companies: 300 Good, 100 Bad"' in bar


def test_the_smallest_share_can_be_seen_and_nothing_is_left_out() -> None:
    bar = str(shares("C", [Share("Many", 100_000, "good"), Share("One", 1, "bad"),
                           Share("None", 0, "fair")]))  # fmt: skip
    assert len(widths(bar)) == 2
    assert min(widths(bar)) >= 4
    assert "None" not in bar


def test_there_is_no_bar_of_nothing() -> None:
    assert str(shares("C", [Share("None", 0, "good")])) == ""


def test_names_are_escaped() -> None:
    bar = str(shares('"<b>', [Share('<i>"&', 1, "good")]))
    assert "<b>" not in bar
    assert "<i>" not in bar
    assert "&lt;i&gt;&#34;&amp;" in bar
