"""Numbers as people type them."""

from decimal import Decimal

import pytest

from dashboard.filters.field_filters import FieldFilter, Verb
from dashboard.filters.typed_numbers import typed_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12500", 12500),
        (" 12,500 ", 12500),
        ("-1,234,567.50", Decimal("-1234567.5")),
        ("12\u202f500", 12500),
        ("12 500", 12500),
        ("1'000'000", 1_000_000),
        ("1,5", None),
        ("1,000 000", None),
        ("12,50", None),
        ("50k", None),
        ("", None),
    ],
)
def test_separators_of_thousands_are_read_and_others_are_not(
    text: str, number: Decimal | None
) -> None:
    assert typed_number(text) == number


def test_a_filter_reads_numbers_as_pages_show_them() -> None:
    assert FieldFilter("value", Verb.ABOVE, "50,000").problem is None
    assert FieldFilter("value", Verb.ABOVE, "50k").problem == "is not a number"
