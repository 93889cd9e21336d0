"""What terminals and readers of logs would act on is escaped; all other text stays."""

import pytest

from config.printable import printable


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("line\nbreak", r"line\nbreak"),
        ("\r\x1b[2J\x07", r"\r\x1b[2J\x07"),
        ("\x7f\x9b31m\x85", r"\x7f\x9b31m\x85"),
        ("a\u2028b\u202eb\ud800", r"a\u2028b\u202eb\ud800"),
    ],
)
def test_control_characters_are_escaped(text: str, escaped: str) -> None:
    assert printable(text) == escaped


@pytest.mark.parametrize("text", ["Café ✓ GmbH", "日本", "a\xa0b", "👩\u200d💻", "C:\\new", ""])
def test_other_text_stays(text: str) -> None:
    assert printable(text) == text


def test_line_breaks_and_tabs_can_be_kept() -> None:
    assert printable("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"
