"""Names may have emoji that are joined, and nothing that hides or breaks a line."""

import pytest

from rules.file.rule_file import read_rules
from rules.one_line import invisible_in, is_one_line

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
HANDSHAKE = "\U0001f9d1\U0001f3fd\u200d\u2764\ufe0f\u200d\U0001f9d1"


@pytest.mark.parametrize(
    "text", ["Plain", FAMILY, HANDSHAKE, "\u0645\u06cc\u200c\u062e\u0648", "Größe 4½"]
)
def test_joined_emoji_and_letters_are_on_one_line(text: str) -> None:
    assert is_one_line(text)
    assert invisible_in(text) is None


@pytest.mark.parametrize(
    ("text", "character"),
    [("two\nlines", "U+000A"), ("a\u202eb", "U+202E"), ("a\u200bb", "U+200B"), ("\x00", "U+0000")],
)
def test_what_hides_or_breaks_a_line_is_named(text: str, character: str) -> None:
    assert not is_one_line(text)
    assert invisible_in(text) == character


def test_a_flag_may_have_a_joined_emoji_in_its_name() -> None:
    family = f"{FAMILY} Families"
    book = read_rules(
        "version: 1\nevents: {login: }\nflags:\n"
        f"  - {{flag: {family}, event: login, when: {{At Risk: no activity for 5 days}}}}\n"
        f"  - {{flag: Both, when: {{At Risk: 'flag \"{family}\" is At Risk'}}}}\n"
    )
    assert [flag.name for flag in book.flags] == [family, "Both"]
