"""Differences between texts, line by line."""

from hypothesis import given
from hypothesis import strategies as st

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
    unchanged = [text for number, text in enumerate(old, 1) if number not in removed]
    assert unchanged == [text for number, text in enumerate(new, 1) if number not in added]


def test_lines_far_from_a_change_are_omitted() -> None:
    before = "\n".join(str(number) for number in range(100))
    difference = compare_texts(before, before.replace("50", "fifty"))
    assert [line.kind for line in difference.lines] == [
        "gap", "same", "same", "same", "removed", "added", "same", "same", "same",
    ]  # fmt: skip
    assert compare_texts(before, before).lines == ()
