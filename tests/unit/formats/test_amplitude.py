from datetime import UTC, datetime
from typing import Any

import pytest

from formats.amplitude import read
from formats.record import Kind, Record, UnreadableRecord

EVENT = {
    "event_type": "Report Created",
    "user_id": "u1",
    "amplitude_id": 7,
    "event_time": "2024-01-20 10:30:00.250000",
    "uuid": "c4e5",
    "groups": {"company": ["acme"]},
    "group_properties": {"company": {"acme": {"plan": "Team"}}},
    "event_properties": {"n": 1},
    "user_properties": {"role": "admin", "$set": {}},
}


def test_an_event_of_the_export() -> None:
    assert read(EVENT) == Record(
        Kind.EVENT,
        "Report Created",
        {"plan": "Team", "id": "acme"},
        {"role": "admin", "id": "u1"},
        {"n": 1},
        "c4e5",
        datetime(2024, 1, 20, 10, 30, 0, 250_000, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"groups": {"firm": "acme"}},
        {"groups": {}, "event_properties": {"company_id": "acme"}},
        {"groups": None, "user_properties": {"Account ID": "acme"}},
    ],
)
def test_the_company_is_a_group_or_a_property(changes: dict[str, Any]) -> None:
    company = read({**EVENT, **changes}).company
    assert company is not None
    assert company["id"] == "acme"


def test_calls_that_set_fields_are_no_events() -> None:
    record = read({**EVENT, "event_type": "$identify"})
    assert (record.kind, record.name) == (Kind.USER, None)


@pytest.mark.parametrize("changes", [{"event_time": "soon"}, {"event_time": None}, {"groups": 5}])
def test_anything_else_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRecord):
        read({**EVENT, **changes})
