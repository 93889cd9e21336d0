"""Columns are mapped as given, then by a preset, then by their names."""

import pytest

from services.imports.csv_files.table import read_table
from services.imports.customers.mapping import ColumnMapping, candidates_for_id, map_columns
from services.imports.customers.presets import find_preset
from services.imports.customers.targets import COMPANIES, PROVIDER_ID, TIME, USERS, Subject


def mapping(
    header: str, given: dict[str, str] | None = None, subject: Subject = COMPANIES, preset: str = ""
) -> ColumnMapping:
    table = read_table(f"{header}\n".encode())
    return map_columns(table, subject, find_preset(preset, subject), given or {})


def targets(made: ColumnMapping) -> dict[str, str]:
    assert made.faults == ()
    return {column.header: column.target for column in made.columns}


def test_an_id_and_a_name_are_guessed_and_others_keep_their_names() -> None:
    assert targets(mapping("Account ID,Account,Annual Revenue,%")) == {
        "Account ID": "id", "Account": "name", "Annual Revenue": "annual_revenue", "%": "column_4",
    }  # fmt: skip
    assert targets(mapping("user_id,Full Name,E-Mail,company_id,Plan", subject=USERS)) == {
        "user_id": "id", "Full Name": "name", "E-Mail": "email", "company_id": "company_id",
        "Plan": "plan",
    }  # fmt: skip


def test_the_likeliest_column_is_the_id() -> None:
    assert targets(mapping("customer_id,id,name"))["id"] == "id"
    assert targets(mapping("customer_id,id,name"))["customer_id"] == "customer_id"


def test_what_is_given_goes_before_all_else() -> None:
    given = {"App ID": "id", "Notes": "", "Plan": "tier", "Modified": TIME}
    assert targets(mapping("id,App ID,Notes,Plan,Modified", given, preset="stripe")) == {
        "id": PROVIDER_ID, "App ID": "id", "Notes": "", "Plan": "tier", "Modified": TIME,
    }  # fmt: skip


def test_no_two_columns_set_one_field_by_their_names() -> None:
    made = targets(mapping("id,Plan,plan,PLAN!"))
    assert [*made.values()] == ["id", "plan", "plan_2", "plan_3"]
    # The id of the product sets these by itself.
    made = targets(mapping("id,Created (UTC),Payment Provider", preset="stripe"))
    assert made["Payment Provider"] == "payment_provider_2"


def test_the_columns_of_refused_rows_are_left_out() -> None:
    assert targets(mapping("refused_line,refused_because,id,plan"))["refused_line"] == ""


@pytest.mark.parametrize(
    ("header", "given", "fault"),
    [
        ("Name,Plan", {}, "No column has the ids of the companies."),
        ("id,Plan", {"Plann": "tier"}, "has no column `Plann`. Did you mean `Plan`?"),
        ("id,a,b", {"a": "x", "b": "x"}, "Two columns are mapped to `x`"),
        ("id,a", {"a": "@tme"}, "`@tme`, which does not exist"),
        ("id,a", {"a": PROVIDER_ID}, "name it with a preset"),
        ("id,a", {"a": "x" * 201}, "at most 200 characters"),
        ("id,a", {"a": "@company_provider_id"}, "only users have a company"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(
    header: str, given: dict[str, str], fault: str
) -> None:
    assert any(fault in found for found in mapping(header, given).faults)


def test_columns_that_may_have_the_ids_of_events_are_offered() -> None:
    made = mapping("id,account_id (metadata),Plan", preset="stripe")
    assert candidates_for_id(made) == ["account_id (metadata)"]
