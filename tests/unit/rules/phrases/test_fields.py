from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from rules.durations import BEGINNING, END
from rules.facts_in_memory import FactsInMemory, FieldChange
from rules.language.parser import parse_condition
from rules.phrases.fields import as_instant, as_number, matches_value
from tests.support.rules import at, evaluate, situation


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, "7"),
        (7.5, "7.5"),
        (0.1, "0.1"),
        (-0.0, "0"),
        (1e300, "1e300"),
        ("7", "7"),
        (" 7.50 ", "7.5"),
        ("-3", "-3"),
        ("1e3", "1000"),
        ("0", "0"),
        (True, None),
        (False, None),
        (None, None),
        ("", None),
        ("seven", None),
        ("7 seats", None),
        ("nan", None),
        ("Infinity", None),
        ("1e401", None),
        ("1e999999999", None),
        ([7], None),
        ({"n": 7}, None),
    ],
)
def test_a_number_may_be_sent_as_a_text_but_not_as_a_boolean(
    value: Any, number: str | None
) -> None:
    assert as_number(value) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2024-01-20", datetime(2024, 1, 20, tzinfo=UTC)),
        (" 2024-01-20 ", datetime(2024, 1, 20, tzinfo=UTC)),
        ("2024-01-20T12:00:00Z", datetime(2024, 1, 20, 12, tzinfo=UTC)),
        ("2024-01-20T12:00:00", datetime(2024, 1, 20, 12, tzinfo=UTC)),
        ("2024-01-20T12:00:00+02:00", datetime(2024, 1, 20, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00+02:00", None),
        ("2024-02-30", None),
        ("soon", None),
        ("", None),
        (20240120, None),
        (None, None),
        (True, None),
    ],
)
def test_a_date_defaults_to_midnight_utc(value: Any, instant: datetime | None) -> None:
    assert as_instant(value) == instant


@pytest.mark.parametrize(
    ("value", "expected", "same"),
    [
        ("Free", "free", True),
        (" Free ", "FREE", True),
        ("Freemium", "Free", False),
        ("Straße", "STRASSE", True),
        (5, "5", True),
        (5, "5.0", True),
        ("5", 5.0, True),
        (5, "6", False),
        ("05", "5", True),
        (True, "true", True),
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        (False, "False", True),
        (["Free"], "Free", False),
        ({"plan": "Free"}, "Free", False),
    ],
)
def test_texts_are_compared_case_insensitively_and_numbers_by_value(
    *, value: Any, expected: Any, same: bool
) -> None:
    assert matches_value(value, expected) is same


@pytest.mark.parametrize(
    ("phrase", "fields", "holds"),
    [
        ("company.nps below 7", {"nps": 6.9}, True),
        ("company.nps below 7", {"nps": 7}, False),
        ("company.nps at most 7", {"nps": 7}, True),
        ("company.nps at least 7", {"nps": 7}, True),
        ("company.nps above 7", {"nps": 7}, False),
        ("company.nps above 7", {"nps": "7.1"}, True),
        ("company.nps < 7", {"nps": "6"}, True),
        ("company.nps below -1", {"nps": -2}, True),
        ("company.nps below 7", {"nps": "low"}, None),
        ("company.nps below 7", {"nps": True}, None),
        ("company.nps below 7", {"nps": None}, None),
        ("company.nps below 7", {}, None),
        ("company.limits.seats below 7", {"limits": {"seats": 5}}, True),
        ("company.limits.seats below 7", {"limits": 5}, None),
        ("company.plan is Free", {"plan": "free"}, True),
        ("company.plan is Free", {"plan": "Pro"}, False),
        ("company.plan is not Free", {"plan": "Pro"}, True),
        ("company.plan is not Free", {"plan": "Free"}, False),
        ("company.plan is Free", {"plan": None}, None),
        ("company.plan is not Free", {}, None),
        ("company.plan is Free Trial", {"plan": "free trial"}, True),
        ('company.plan is "and"', {"plan": "and"}, True),
        ("company.paying is true", {"paying": True}, True),
        ("company.paying is not true", {"paying": False}, True),
        ("company.csm_name is missing", {}, True),
        ("company.csm_name is missing", {"csm_name": None}, True),
        ("company.csm_name is missing", {"csm_name": ""}, False),
        ("company.csm_name is missing", {"csm_name": False}, False),
        ("company.csm_name is not missing", {"csm_name": "Kim"}, True),
        ("company.csm_name is not missing", {}, False),
        ("company.csm.name is missing", {"csm": {}}, True),
    ],
)
def test_a_field_is_evaluated_by_its_value(
    *, phrase: str, fields: dict[str, Any], holds: bool | None
) -> None:
    finding = evaluate(phrase, fields=fields)
    assert finding.holds is holds
    assert (finding.changes_at, finding.awaits_event) == (None, False)


@pytest.mark.parametrize(
    ("now", "holds", "changes_at"),
    [
        (89, False, 90),
        (90, True, 100),
        (99.999999, True, 100),
        (100, False, None),
        (1_000, False, None),
    ],
)
def test_a_date_is_within_a_window_from_that_long_before_until_the_date(
    *, now: float, holds: bool, changes_at: float | None
) -> None:
    fields = {"renewal_date": at(100).isoformat()}
    finding = evaluate("company.renewal_date within 10 seconds", fields=fields, now=now)
    assert (finding.holds, finding.changes_at) == (
        holds,
        None if changes_at is None else at(changes_at),
    )


@pytest.mark.parametrize("value", [None, "soon", 5, True, [], "9999-99-99"])
def test_a_value_that_is_not_a_date_cannot_be_evaluated(value: Any) -> None:
    finding = evaluate("company.renewal_date within 10 seconds", fields={"renewal_date": value})
    assert (finding.holds, finding.changes_at) == (None, None)


@pytest.mark.parametrize("date", [BEGINNING, END])
def test_the_first_and_last_representable_dates_can_be_evaluated(date: datetime) -> None:
    finding = evaluate(
        "company.renewal_date within 520 weeks", fields={"renewal_date": date.isoformat()}
    )
    assert finding.holds is False


def test_a_field_is_evaluated_as_of_the_instant() -> None:
    facts = FactsInMemory(
        [], [FieldChange(at(0), "plan", "Free"), FieldChange(at(5), "plan", "Pro")]
    )
    condition = parse_condition("company.plan is Free")
    results = [condition.evaluate(situation(facts, now)).holds for now in (-1, 0, 4.999999, 5)]
    assert results == [None, True, True, False]


@pytest.mark.parametrize(
    ("phrase", "fields", "description"),
    [
        ("company.nps below 7", {"nps": 5}, "company.nps is 5"),
        ("company.nps below 7", {}, "company.nps is missing"),
        ("company.paying is true", {"paying": False}, "company.paying is false"),
        ("company.tags is missing", {"tags": ["a"]}, "company.tags is a list"),
        ("company.tags is missing", {"tags": {"a": 1}}, "company.tags is an object"),
    ],
)
def test_the_value_of_a_field_is_described(
    phrase: str, fields: dict[str, Any], description: str
) -> None:
    assert parse_condition(phrase).describe(evaluate(phrase, fields=fields)) == description


def test_a_nested_field_depends_on_its_full_path() -> None:
    assert parse_condition("company.limits.seats below 7").company_fields == ("limits.seats",)
