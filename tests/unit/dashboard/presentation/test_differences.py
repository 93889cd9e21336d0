"""Differences between texts, texts from forms, and the chart of a backtest."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages.rules.editor import as_written
from dashboard.presentation.charts.paired_columns import Step, draw_paired_columns
from dashboard.presentation.differences import compare_texts

texts = st.lists(st.sampled_from(["a", "b", "c", "", "  d"]), max_size=30).map("\n".join)


@given(texts, texts)
def test_a_difference_leads_from_one_text_to_the_other(before: str, after: str) -> None:
    difference = compare_texts(before, after)
    old, new = before.splitlines(), after.splitlines()
    for line in difference.lines:
        assert line.before is None or old[line.before - 1] == line.text
        assert line.after is None or new[line.after - 1] == line.text
    removed = {line.before for line in difference.lines if line.kind == "removed"}
    added = {line.after for line in difference.lines if line.kind == "added"}
    assert (len(removed), len(added)) == (difference.removed, difference.added)
    kept = [text for number, text in enumerate(old, 1) if number not in removed]
    assert kept == [text for number, text in enumerate(new, 1) if number not in added]


def test_lines_far_from_a_change_are_omitted() -> None:
    before = "\n".join(str(number) for number in range(100))
    difference = compare_texts(before, before.replace("50", "fifty"))
    assert [line.kind for line in difference.lines] == [
        "gap", "same", "same", "same", "removed", "added", "same", "same", "same",
    ]  # fmt: skip
    assert compare_texts(before, before).lines == ()


@given(texts)
def test_a_text_returned_by_a_form_is_the_same(text: str) -> None:
    sent = text.replace("\n", "\r\n")
    assert as_written(sent, text) == text
    assert as_written(sent, sent) == sent


def test_a_text_with_both_line_breaks_gets_unix_line_breaks() -> None:
    assert as_written("a\r\nb\r\n", "a\r\nb\n") == "a\nb\n"


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=60))
def test_paired_columns_stay_in_the_chart_and_in_the_order_of_their_numbers(
    counts: list[tuple[int, int]],
) -> None:
    steps = [Step(str(index), *pair) for index, pair in enumerate(counts)]
    chart = draw_paired_columns(steps, ("raised", "cleared"))
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
