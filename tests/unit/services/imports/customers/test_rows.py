"""Rows become companies and users with typed fields, or are refused with the reason."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.imports.csv_files.table import RefusedRow, read_table
from services.imports.customers.column_types import type_columns
from services.imports.customers.mapping import map_columns
from services.imports.customers.presets import detect
from services.imports.customers.refused_rows import refused_csv
from services.imports.customers.rows import (
    CustomerRow,
    read_rows,
    without_repetitions,
)
from services.imports.customers.targets import COMPANIES, TIME, USERS, Subject

NOW = datetime(2026, 1, 20, 10, 30, tzinfo=UTC)


def read(
    text: str,
    subject: Subject = COMPANIES,
    given: dict[str, str] | None = None,
    known: dict[str, str] | None = None,
) -> tuple[list[CustomerRow], list[RefusedRow]]:
    table = read_table(text.encode())
    mapping = map_columns(table, subject, detect(table, subject), given or {})
    columns = type_columns(table, mapping, known or {})
    assert (mapping.faults, columns.faults) == ((), ())
    return read_rows(table, mapping, columns, NOW)


def fields(text: str, **options: Any) -> list[dict[str, Any]]:
    rows, refused = read(text, **options)
    assert refused == []
    return [dict(row.fields) for row in rows]


def test_empty_cells_are_not_sent() -> None:
    assert fields("id,name,plan,seats\n1,Acme,,5\n2,,pro, \n") == [
        {"name": "Acme", "seats": 5},
        {"plan": "pro"},
    ]


def test_an_export_fills_the_fields_of_its_product() -> None:
    assert fields(
        "id,Name,Description,Email,Created (UTC)\ncus_1,,,a@x.com,2024-02-01 09:30\n"
    ) == [
        {
            "payment_provider": "stripe",
            "payment_provider_id": "cus_1",
            "email": "a@x.com",
            "created": "2024-02-01T09:30:00Z",
            "name": "a@x.com",
        }
    ]
    [account] = fields("Account ID,Account Name\n0015g00000BhYbT,Acme\n")
    assert account["crm_provider_id"] == "0015g00000BhYbTAAV"


def test_a_contact_has_a_whole_name_and_its_first_company() -> None:
    rows, _ = read(
        "Record ID,First Name,Last Name,Email,Associated Company IDs\n"
        "7,Ann,Lee,ann@x.com,9001; 9002\n",
        USERS,
    )
    assert rows[0].fields["name"] == "Ann Lee"
    assert (rows[0].provider_id, rows[0].company_provider_id) == ("7", "9001")


def test_a_row_may_have_a_time_of_its_own() -> None:
    text = "id,plan,modified\n1,pro,2025-01-31\n2,pro,\n3,pro,2026-01-20T10:45:00Z\n"
    rows, refused = read(text, given={"modified": TIME})
    assert [row.at for row in rows] == [datetime(2025, 1, 31, tzinfo=UTC), None, NOW]
    assert refused == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id,plan\n,pro\n", "has no id in `id`"),
        (f"id,plan\n{'x' * 201},pro\n", "has an id of 201 characters; at most 200"),
        (f"id,name\n1,{'x' * 201}\n", "has 201 characters in `name`; `name` has at most 200"),
        ("id,seats\n1,many\n", "has `many` in `seats`, but the field `seats` has been a number"),
        ("id,modified\n1,2026-02-20\n", "has a time in the future in `modified`: 2026-02-20"),
    ],
)
def test_a_row_that_cannot_be_loaded_is_refused(text: str, reason: str) -> None:
    given = {"modified": TIME} if "modified" in text else {}
    rows, [refused] = read(text, given=given, known={"seats": "number"})
    assert rows == []
    assert (refused.line, refused.reason[: len(reason)]) == (2, reason)


def test_an_email_that_is_none_is_refused() -> None:
    _, [refused] = read("id,email\n1,nobody\n", USERS)
    assert refused.reason == "has an invalid email in `email`: nobody"


def test_a_column_of_times_must_have_times() -> None:
    table = read_table(b"id,modified\n1,yesterday\n")
    mapping = map_columns(table, COMPANIES, None, {"modified": TIME})
    [fault] = type_columns(table, mapping, {}).faults
    assert "`modified` does not have dates or times only" in fault


def test_of_rows_with_one_id_the_first_counts_unless_their_times_differ() -> None:
    text = "id,plan,at\n1,pro,2025-01-01\n1,pro,2025-01-01\n1,free,2025-01-01\n1,free,2025-02-01\n"
    rows, _ = read(text, given={"at": TIME})
    kept, refused, repeated = without_repetitions(rows, [row.id or "" for row in rows])
    assert [row.line for _, row in kept] == [2, 5]
    assert repeated == 1
    assert [(row.line, row.reason) for row in refused] == [
        (4, "has the same id as line 2, `1`, and other values")
    ]


def test_refused_rows_are_written_with_reasons_and_can_be_loaded_once_mended() -> None:
    text = 'id;plan\n;"a ""b"""\n2\n'
    table = read_table(text.encode())
    _, refused = read(text)
    written = refused_csv(table, refused)
    assert written.splitlines()[:2] == [
        "refused_line;refused_because;id;plan",
        '2;has no id in `id`;;"a ""b"""',
    ]
    assert "'=1+1" in refused_csv(table, [RefusedRow(2, ("=1+1", "-5"), "")])
    assert "'-5" not in refused_csv(table, [RefusedRow(2, ("=1+1", "-5"), "")])
    mended = written.replace("`id`;;", "`id`;1;")
    rows, _ = read(mended)
    assert [(row.id, row.fields) for row in rows] == [("1", {"plan": 'a "b"'})]
