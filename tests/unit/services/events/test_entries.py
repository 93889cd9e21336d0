"""Content of the journal as people see it."""

from datetime import UTC, datetime

import pytest

from services.events.entries import SHORT, accepted_at, as_text, pairs, short


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'{"a": "b"}', '{"a": "b"}'),
        ("Café ✓".encode(), "Café ✓"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"a\x00b\x1b[31m\r\n\tc", "a\\x00b\\x1b[31m\\r\n\tc"),
        ("\u202eevil".encode(), "\\u202eevil"),
        (b"", ""),
    ],
)
def test_what_is_not_printable_text_is_escaped(content: bytes, text: str) -> None:
    assert as_text(content) == text


def test_a_text_is_shortened_to_one_line() -> None:
    assert short("DataError: no\nDETAIL: the values\n") == "DataError: no"
    assert short("x" * SHORT) == "x" * SHORT
    assert short("x" * (SHORT + 1)) == "x" * SHORT + "…"
    assert short("\n a\tb\x1b") == "a\tb\\x1b"


@pytest.mark.parametrize(
    "fields", [(b"1", b"{}"), (b"1", b"{}", b"t"), (b"1", b"", b"t", b"x"), (b"t", b"9" * 30)]
)
def test_an_entry_without_a_time_was_accepted_at_an_unknown_time(fields: tuple[bytes, ...]) -> None:
    assert accepted_at(fields) is None


def test_the_fields_of_an_entry() -> None:
    fields = (b"1", b"{}", b"t", b"1500000")
    assert pairs(fields) == [(b"1", b"{}"), (b"t", b"1500000")]
    assert pairs(fields[:3])[-1] == (b"t", b"")
    assert accepted_at(fields) == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
