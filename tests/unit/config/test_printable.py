"""What terminals and readers of logs would act on is escaped; all other text stays."""

import json

import pytest

from config.printable import printable, printable_json


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


def test_json_stays_json() -> None:
    value = {"a\u2028": "\x85\u202e\n\x1b", "é": "👩\u200d💻"}
    text = printable_json(json.dumps(value, indent=2, ensure_ascii=False))
    assert text.splitlines()[1] == r'  "a\u2028": "\u0085\u202e\n\u001b",'
    assert json.loads(text) == value
