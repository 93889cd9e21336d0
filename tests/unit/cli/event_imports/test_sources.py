import csv
import io
from pathlib import Path

import pytest

from cli.event_imports import sources
from cli.event_imports.sources import divide, open_source


def test_a_table_is_divided_between_rows_though_values_have_line_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [[str(n), f'a "quoted"\nline {n}', "x" * (n % 7)] for n in range(2_000)]
    path = tmp_path / "events.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["n", "text", "x"], *rows])
    monkeypatch.setattr(sources, "RANGE_BYTES", 5_000)
    monkeypatch.setattr(sources, "_BLOCK", 1_000)
    source = open_source(path, tmp_path)
    ranges = divide(source)
    assert len(ranges) > 5
    assert source.columns == ("n", "text", "x")
    read = [
        row for part in ranges for row in csv.reader(io.StringIO(part.read().decode(), newline=""))
    ]
    assert read == rows


@pytest.mark.parametrize(("header", "delimiter"), [("a;b", ";"), ("a\tb", "\t"), ("a|b", "|")])
def test_other_delimiters_and_a_byte_order_mark_are_recognized(
    tmp_path: Path, header: str, delimiter: str
) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"\ufeff{header}\r\n1{delimiter}2\r\n")
    source = open_source(path, tmp_path)
    assert (source.delimiter, source.columns) == (delimiter, ("a", "b"))
    assert [part.read() for part in divide(source)] == [f"1{delimiter}2\r\n".encode()]
