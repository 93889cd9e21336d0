from datetime import UTC, datetime
from typing import Any

import pytest

from formats.mixpanel import read
from formats.record import Kind, Record, UnreadableRecord

PROPERTIES = {
    "time": 1602611311,
    "distinct_id": "u1",
    "$insert_id": "29fc2962",
    "$city": "Berlin",
    "mp_lib": "web",
    "account_id": 42,
    "amount": 9.5,
}


def test_an_event_of_the_raw_export() -> None:
    assert read({"event": "Paid", "properties": PROPERTIES}) == Record(
        Kind.EVENT,
        "Paid",
        {"id": "42"},
        {"id": "u1"},
        {"amount": 9.5},
        "29fc2962",
        datetime(2020, 10, 13, 17, 48, 31, tzinfo=UTC),
    )


def test_milliseconds_and_a_named_property_with_the_company() -> None:
    properties = {**PROPERTIES, "time": 1602611311500, "$user_id": "u2", "firm": ["acme", "b"]}
    record = read({"event": "Paid", "properties": properties}, company="firm")
    assert record.company == {"id": "acme"}
    assert record.user == {"id": "u2"}
    assert record.at == datetime(2020, 10, 13, 17, 48, 31, 500_000, tzinfo=UTC)
    assert record.data == {"amount": 9.5, "account_id": 42}


@pytest.mark.parametrize(
    "call", [{"event": "Paid"}, {"properties": {"time": "soon"}}, {"properties": {"time": 1e300}}]
)
def test_anything_else_is_refused(call: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRecord):
        read(call)
