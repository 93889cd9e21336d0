"""The owner, the value and the renewal of a company, as read from its fields."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from rules.team import LONGEST_OWNER, NO_TEAM, TeamFields, TeamValues, team_values

TEAM = TeamFields(("csm",), ("contract", "arr"), ("renews",))


def values(**company: Any) -> TeamValues:
    return team_values(TEAM, company)


def test_the_fields_that_the_rules_name_are_read() -> None:
    company = {"csm": "Ann", "contract": {"arr": 1200}, "renews": "2026-05-01", "other": 1}
    expected = TeamValues("Ann", Decimal(1200), date(2026, 5, 1))
    assert team_values(TEAM, company) == expected
    assert team_values(NO_TEAM, company) == TeamValues()
    assert values() == TeamValues()


@pytest.mark.parametrize(
    ("sent", "owner"),
    [
        (" Ann ", "Ann"),
        (7, "7"),
        (True, "true"),
        ("x" * (LONGEST_OWNER + 1), "x" * LONGEST_OWNER),
        ("  ", None),
        (None, None),
        (["Ann"], None),
        ({"name": "Ann"}, None),
    ],
)
def test_an_owner_is_a_text(sent: Any, owner: str | None) -> None:
    assert values(csm=sent).owner == owner


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        (0, "0"),
        (-12.345, "-12.35"),
        ("1200.005", "1200.01"),
        (10**15 - 1, "999999999999999"),
        (10**15, None),
        (1e300, None),
        ("12,000", None),
        ("1_000", None),
        (True, None),
        (float("nan"), None),
        (None, None),
        ([1], None),
    ],
)
def test_a_value_is_a_number_with_two_decimals(sent: Any, value: str | None) -> None:
    assert values(contract={"arr": sent}).value == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("2026-05-01", date(2026, 5, 1)),
        ("2026-05-01T23:30:00-02:00", date(2026, 5, 2)),
        ("2026-05-01T23:30:00", date(2026, 5, 1)),
        ("20260501", date(2026, 5, 1)),
        ("01.05.2026", None),
        ("2026-02-30", None),
        (20260501, None),
        (None, None),
    ],
)
def test_a_renewal_is_a_day_in_utc(sent: Any, day: date | None) -> None:
    assert values(renews=sent).renews_on == day
