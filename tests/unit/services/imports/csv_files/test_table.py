"""Tables are read with their lines; what may be in the wrong column is refused."""

import pytest

from services.imports.csv_files.decoding import UnreadableFile
from services.imports.csv_files.table import Bounds, CsvTable, read_table


def read(text: str, **bounds: int) -> CsvTable:
    return read_table(text.encode(), Bounds(**bounds))


def cells(table: CsvTable) -> list[tuple[str, ...]]:
    return [row.cells for row in table.rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_one_with_the_most_columns(delimiter: str) -> None:
    text = "id|name|a, b; c\n1|x|y\n".replace("|", delimiter)
    table = read(text if delimiter == "\t" else text.replace("a, b; c", "third"))
    assert table.delimiter == delimiter
    assert cells(table)[0] == ("1", "x", "y")


def test_excel_may_name_the_delimiter_in_the_first_line() -> None:
    table = read("sep=;\nid;a,b,c,d\n1;2\n")
    assert (table.header, table.rows[0].line) == (("id", "a,b,c,d"), 3)


def test_quoted_cells_keep_line_breaks_and_rows_know_where_they_begin() -> None:
    table = read('id,notes\n1,"two\nlines"\n\n2," =SUM(A1) "\n')
    assert [(row.line, row.cells) for row in table.rows] == [
        (2, ("1", "two\nlines")),
        (5, ("2", "=SUM(A1)")),
    ]


def test_rows_of_another_length_are_refused_and_empty_cells_beyond_are_not() -> None:
    table = read("id,name\n1,a,,\n2\n3,b,c\n4,d\n,\n")
    assert cells(table) == [("1", "a"), ("4", "d")]
    assert [(row.line, row.reason.split(":")[0]) for row in table.refused] == [
        (3, "has 1 cell, and the header has 2"),
        (4, "has 3 cells, and the header has 2"),
    ]


def test_rows_that_cannot_be_stored_are_refused() -> None:
    table = read(f"id,name\n1,a\0b\n2,{'x' * 32_768}\n3,{'x' * 32_767}\n")
    assert [row.line for row in table.refused] == [2, 3]
    assert table.rows[0].line == 4


def test_the_end_of_a_report_is_left_out_with_a_note() -> None:
    table = read('id,name\n1,a\n2\n\n"All Accounts"\n\n"Copyright (c) 2026"\n')
    assert cells(table) == [("1", "a")]
    assert [row.line for row in table.refused] == [3]
    assert table.notes == [
        "The lines from 5 on, after the table, were left out: they begin with `All Accounts`."
    ]
    assert len(read("id\n1\n\n2\n").rows) == 2  # a table of a single column


def test_columns_without_a_name_are_left_out() -> None:
    table = read(",id,name,,\n0,1,a,b,\n")
    assert (table.used, table.notes) == ((1, 2), ["Columns 1, 4 without a name: left out."])
    assert read("id,name,,\n1,a,,\n2,b\n").header == ("id", "name")


def test_an_encoding_that_is_a_guess_is_noted() -> None:
    assert "Windows-1252" in read_table("id,name\n1,é\n".encode("cp1252")).notes[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "The file is empty"),
        ("\n\n", "The file is empty"),
        ("id,name,id,id\n1,a,2,3\n", "`id` more than once, in the columns 1, 3, 4"),
        ("17,Acme,2024-01-01\n", "`17` looks like a value"),
        ("ann@example.com,Ann\n", "`ann@example.com` looks like a value"),
        ("Acme,2024-01-31\n", "`2024-01-31` looks like a value"),
        (f"id,{'x' * 201}\n", "a name of 201 characters"),
        ('id,name\n1,"a\n2,b\n', "The row that begins in line 2 has a quote out of place"),
        ('id,name\n1,a\n2,"a" b\n', "The row that begins in line 3 has a quote out of place"),
        (f"id,name\n1,{'x' * 140_000}\n", "A cell in the row of line 2 has more than"),
        ("id,a\0b\n", "NUL character in its name"),
        ("id\n1\n2\n3\n4\n", "more than 3 rows"),
        ("id,a,b,c,d\n", "Line 1 has 5 columns; at most 4"),
    ],
)
def test_a_file_without_a_usable_table_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(text, rows=3, columns=4)
    assert reason in str(refused.value)


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="has 11 bytes; at most 10 are read"):
        read("id,name\n1,a", bytes=10)
