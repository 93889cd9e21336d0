"""Texts that come back from the form of the editor."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages.rules.editor import as_written

texts = st.lists(st.sampled_from(["a", "b", "c", "", "  d"]), max_size=30).map("\n".join)


@given(texts)
def test_a_text_returned_by_a_form_is_the_same(text: str) -> None:
    sent = text.replace("\n", "\r\n")
    assert as_written(sent, text) == text
    assert as_written(sent, sent) == sent


def test_a_text_with_both_line_breaks_gets_unix_line_breaks() -> None:
    assert as_written("a\r\nb\r\n", "a\r\nb\n") == "a\nb\n"
