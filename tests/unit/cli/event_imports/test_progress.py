"""How far an import is, in words and units that people read."""

import io

import pytest

from cli.event_imports.progress import Done, progress_line, readable_size, with_rate


@pytest.mark.parametrize(
    ("done", "seconds", "line"),
    [
        (Done(12_000_000, 120_000), 3, "25% of 48 MB, 120,000 rows, 40,000 a second, 0:09 left"),
        (Done(48_000_000, 9_000), 9, "100% of 48 MB, 9,000 rows, 1,000 a second, 0:00 left"),
        (Done(480_000, 5_000), 119.7 / 99, "1% of 48 MB, 5,000 rows, 4,135 a second, 2:00 left"),
        (Done(480_000, 10), 60, "1% of 48 MB, 10 rows, 0 a second, 1:39:00 left"),
        (Done(0, 0), 0, "0% of 48 MB, 0 rows, 0 a second, 0:00 left"),
    ],
)  # fmt: skip
def test_the_line_has_per_cent_records_their_rate_and_the_time_left(
    done: Done, seconds: float, line: str
) -> None:
    assert progress_line(done, 48_000_000, seconds, size="48 MB", unit="rows") == line


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 KB"), (25_602_351, "25 MB"),
     (9_990_000_000, "10.0 GB"), (120_000_000_000, "120 GB")],
)  # fmt: skip
def test_sizes_are_in_units_that_people_read(number: int, text: str) -> None:
    assert readable_size(number) == text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_line_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stderr", stream)
        items = with_rate(
            [3, 4], lambda item: Done(item, item * 10), total=7, size="7", label="Storing", unit="x"
        )
        assert list(items) == [3, 4]
        assert ("\r\x1b[KStoring: 43% of 7, 30 x, " in stream.getvalue()) is shown
        assert stream.getvalue().endswith("\r\x1b[K") is shown
