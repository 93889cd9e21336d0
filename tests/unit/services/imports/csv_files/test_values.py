"""The types of columns: numbers only if all values are, dates as ISO 8601, text otherwise."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.imports.csv_files.field_names import field_name
from services.imports.csv_files.values import (
    Column,
    Conventions,
    Kind,
    adapt,
    find_conventions,
    recognize,
)

POINT = Conventions(decimal_point=".")


def typed(
    values: list[str], field: str = "value", conventions: Conventions = POINT
) -> tuple[Kind, list[Any]]:
    found = recognize(Column.of(values), field, conventions)
    return found.kind, [found.convert(value) for value in values]


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["0", "12", "-3"], [0, 12, -3]),
        (["1.50", "1200.00", "0.25"], [1.5, 1200, 0.25]),
        (["1,200", "12,345.5", "7"], [1200, 12345.5, 7]),
        (["1.200,50", "3"], [1200.5, 3]),
        (["1 200,5", "3,25"], [1200.5, 3.25]),
        (["$1,200.00", "$3", "($12.50)", "-$1"], [1200, 3, -12.5, -1]),
        (["USD 1,200.00", "USD 3"], [1200, 3]),
        (["1.200,50 €", "3,00 €"], [1200.5, 3]),
        (["45%", "3.5 %"], [45, 3.5]),
    ],
)
def test_a_column_of_numbers_is_read_as_numbers(values: list[str], numbers: list[Any]) -> None:
    assert typed(values) == (Kind.NUMBER, numbers)


@pytest.mark.parametrize(
    "values",
    [
        ["007", "12"],  # an id, or a postal code
        ["+49 30 1234", "12"],
        ["1", "2", "many"],
        ["1234567890123456"],  # more digits than a number keeps
        ["1e5"],
        ["$5", "€5"],
        ["1.200,50", "1,200.50"],
        ["SKU100", "SKU200"],
        ["=1+1"],
        ["2024-02-30"],
        ["25/25/2024"],
        ["12:30"],
        ["y", "n"],
    ],
)
def test_what_is_not_all_of_one_type_stays_text(values: list[str]) -> None:
    assert typed(values) == (Kind.TEXT, values)


@pytest.mark.parametrize("field", ["zip", "billing_postal_code", "phone_number", "account_id"])
def test_ids_postal_codes_and_phone_numbers_stay_text_by_their_names(field: str) -> None:
    assert typed(["10115", "20095"], field)[0] is Kind.TEXT


def test_booleans_are_true_and_false_or_yes_and_no() -> None:
    assert typed(["TRUE", "false"]) == (Kind.BOOLEAN, [True, False])
    assert typed(["Yes", "no"]) == (Kind.BOOLEAN, [True, False])


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31 09:30", "2024-01-31T09:30:00Z"),
        ("2024-01-31T09:30:15.123+0200", "2024-01-31T07:30:15Z"),
        ("2024/1/31", "2024-01-31"),
        ("1/31/2024", "2024-01-31"),
        ("31/1/2024", "2024-01-31"),
        ("1/31/2024, 2:30 PM", "2024-01-31T14:30:00Z"),
        ("1/31/2024 12:05 AM", "2024-01-31T00:05:00Z"),
        ("31.01.2024", "2024-01-31"),
        ("Jan 31, 2024", "2024-01-31"),
        ("31 January 2024", "2024-01-31"),
    ],
)
def test_dates_become_iso_8601(text: str, iso: str) -> None:
    assert typed([text]) == (Kind.DATE, [iso])


def test_the_order_of_day_and_month_is_that_of_the_file_or_unknown() -> None:
    ambiguous = Column.of(["3/4/2026"])
    told = find_conventions([ambiguous, Column.of(["3/4/2026", "31/1/2026"])], ",")
    assert recognize(ambiguous, "value", told).convert("3/4/2026") == "2026-04-03"
    asked = find_conventions([ambiguous], ",", day_first=False)
    assert recognize(ambiguous, "value", asked).convert("3/4/2026") == "2026-03-04"
    unknown = recognize(ambiguous, "value", find_conventions([ambiguous], ","))
    assert unknown.kind is Kind.TEXT
    assert "has the day or the month first" in (unknown.note or "")


def test_a_decimal_point_that_nothing_decides_leaves_text_with_a_note() -> None:
    prices = Column.of(["1.200", "3"])
    unknown = recognize(prices, "value", find_conventions([prices], ";"))
    assert (unknown.kind, unknown.convert("1.200")) == (Kind.TEXT, "1.200")
    assert "1.200 is either 1.2 or 1,200" in (unknown.note or "")
    known = recognize(prices, "value", find_conventions([prices, Column.of(["0,5"])], ";"))
    assert known.convert("1.200") == 1200


def test_a_known_field_keeps_its_type() -> None:
    text = adapt(recognize(Column.of(["1", "2"]), "tier", POINT), "string")
    assert text.convert("1") == "1"
    numbers = adapt(recognize(Column.of(["1", "many"]), "seats", POINT), "number")
    assert (numbers.convert("1"), numbers.convert("many")) == (1, None)
    booleans = adapt(recognize(Column.of(["yes", "?"]), "trial", POINT), "boolean")
    assert (booleans.convert("yes"), booleans.convert("?")) == (True, None)
    dates = adapt(recognize(Column.of(["2024-01-31"]), "renewal", POINT), "string")
    assert dates.kind is Kind.DATE


def test_the_quote_of_an_export_before_a_formula_is_removed() -> None:
    assert typed(["'=1+1", "'tis"]) == (Kind.TEXT, ["=1+1", "'tis"])


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_every_value_of_a_column_can_be_converted(values: list[str]) -> None:
    found = recognize(Column.of(values), "value", POINT)
    assert all(found.convert(value) is not None for value in values)


@given(st.decimals(-(10**9), 10**9, places=2, allow_nan=False))
def test_numbers_survive_the_grouping_of_both_conventions(number: Any) -> None:
    english = f"{number:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    for text, point in ((english, "."), (german, ",")):
        assert typed([text], conventions=Conventions(point)) == (Kind.NUMBER, [float(number)])


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Annual Revenue", "annual_revenue"),
        ("AnnualRevenue", "annual_revenue"),
        ("Billing State/Province", "billing_state_province"),
        ("Associated Company IDs", "associated_company_ids"),
        ("HTTPStatus", "http_status"),
        ("Created (UTC)", "created_utc"),
        ("account_id (metadata)", "account_id"),
        ("Contract_Seats__c", "contract_seats"),
        ("  # of seats ", "of_seats"),
        ("Größe", "größe"),
        ("שם", "שם"),
        ("%", ""),
    ],
)
def test_headers_become_names_in_snake_case(header: str, name: str) -> None:
    assert field_name(header) == name
