"""Differences between texts, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.presentation import differences
from dashboard.presentation.differences import MOST_LINES, compare_texts

texts = st.lists(st.sampled_from(["a", "b", "c", "", "  d"]), max_size=30).map("\n".join)


def assert_leads_from_one_to_the_other(before: str, after: str) -> None:
    difference = compare_texts(before, after)
    old, new = before.splitlines(), after.splitlines()
    for line in difference.lines:
        assert line.before is None or old[line.before - 1] == line.text
        assert line.after is None or new[line.after - 1] == line.text
    removed = {line.before for line in difference.lines if line.kind == "removed"}
    added = {line.after for line in difference.lines if line.kind == "added"}
    assert (len(removed), len(added)) == (difference.removed, difference.added)
    unchanged = [text for number, text in enumerate(old, 1) if number not in removed]
    assert unchanged == [text for number, text in enumerate(new, 1) if number not in added]


@given(texts, texts)
def test_a_difference_leads_from_one_text_to_the_other(before: str, after: str) -> None:
    assert_leads_from_one_to_the_other(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("version: 1", "\u2028" * 70_000),
        ("a\n" * 60_000, "a\n" * 60_001),
        ("a\nb\n" * 30_000, "b\na\n" * 30_000),
        ("\n".join(map(str, range(20_000))), "\n".join(str(n * (n % 2)) for n in range(20_000))),
    ],
    ids=["line separators", "one line more", "lines in turn", "every other line"],
)
@pytest.mark.timeout(10)
def test_large_texts_are_compared_without_detail(before: str, after: str) -> None:
    difference = compare_texts(before, after)
    assert len(difference.lines) <= MOST_LINES + 1
    assert difference.added - difference.removed == len(after.splitlines()) - len(
        before.splitlines()
    )


def test_a_change_in_a_large_text_is_shown_in_detail() -> None:
    before = "\n".join(str(number) for number in range(30_000))
    difference = compare_texts(before, before.replace("\n15000\n", "\nchanged\nmore\n"))
    changed = [(line.kind, line.before, line.after, line.text) for line in difference.lines]
    assert changed[0][0] == "gap"
    assert changed[4:7] == [
        ("removed", 15_001, None, "15000"),
        ("added", None, 15_001, "changed"),
        ("added", None, 15_002, "more"),
    ]
    assert len(changed) == 1 + 3 + 3 + 3


@given(texts, texts)
def test_a_difference_without_detail_leads_from_one_text_to_the_other(
    before: str, after: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differences, "MOST_EQUAL_PAIRS", -1)
        assert_leads_from_one_to_the_other(before, after)


def test_lines_far_from_a_change_are_omitted() -> None:
    before = "\n".join(str(number) for number in range(100))
    difference = compare_texts(before, before.replace("50", "fifty"))
    assert [line.kind for line in difference.lines] == [
        "gap", "same", "same", "same", "removed", "added", "same", "same", "same",
    ]  # fmt: skip
    assert compare_texts(before, before).lines == ()
