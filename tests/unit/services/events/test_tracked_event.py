from datetime import timedelta
from typing import Any

import pytest

from services.events.tracked_event import TrackedEvent, UnreadableEvent
from tests.unit.services.events.messages import T0, message


def test_every_field_of_a_message_of_the_ingress_is_read() -> None:
    assert TrackedEvent.from_message(message()) == TrackedEvent(
        organization_id=1,
        key_id=2,
        event_id="e1",
        event_key="login",
        company_id="acme",
        company={"name": "Acme", "plan": "Pro"},
        user_id="u1",
        user={"email": "a@acme.com", "role": "Admin"},
        data={"source": "web"},
        occurred_at=T0,
        received_at=T0 + timedelta(milliseconds=250),
    )


@pytest.mark.parametrize("missing", sorted(message()))
def test_a_message_without_one_of_its_fields_is_unreadable(missing: str) -> None:
    contents = message()
    del contents[missing]
    with pytest.raises(UnreadableEvent, match=missing):
        TrackedEvent.from_message(contents)


@pytest.mark.parametrize(
    "wrong",
    [
        {"company": None},
        {"company": {"name": "Acme"}},
        {"user": "u1"},
        {"organization_id": "one"},
        {"occurred_at": "yesterday"},
        {"received_at": 5},
        {"received_at": "2026-01-05T12:00:00"},  # without an offset
        {"company": {"id": 7, "name": "Acme"}},
        {"company": {"id": "acme", "name": ["Acme"]}},
        {"user": {"id": {"of": "another kind"}}},
        {"event_id": None},
        {"event_key": 1},
        {"organization_id": True},
        {"key_id": "one"},
        {"data": [1]},
    ],
)
def test_a_message_with_a_field_of_another_type_is_unreadable(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnreadableEvent):
        TrackedEvent.from_message(message(**wrong))


def test_a_message_without_user_and_data_is_a_system_event() -> None:
    event = TrackedEvent.from_message(message(user=None, data=None))
    assert event.user_id is None
    assert event.user == {}
    assert event.data is None


@pytest.mark.parametrize(
    ("late", "takes_effect"),
    [
        (timedelta(0), timedelta(0)),
        (timedelta(seconds=60), timedelta(0)),
        (timedelta(seconds=60, microseconds=1), timedelta(seconds=60, microseconds=1)),
        (timedelta(days=30), timedelta(days=30)),
    ],
)
def test_an_event_takes_effect_when_it_occurred_unless_it_is_late(
    late: timedelta, takes_effect: timedelta
) -> None:
    event = TrackedEvent.from_message(
        message(occurred_at=T0.isoformat(), received_at=(T0 + late).isoformat())
    )
    assert event.takes_effect_at == T0 + takes_effect


@pytest.mark.parametrize(
    ("sent", "at_journal", "occurs"),
    [
        (None, 5, 5),  # no time of its own: it occurs when it is accepted
        (None, -5, -5),
        (-60, 5, -60),  # its own time
        (-60, -90, -90),  # it cannot occur after it is accepted
    ],
)
def test_an_event_is_received_when_the_journal_accepts_it(
    sent: float | None, at_journal: float, occurs: float
) -> None:
    """The clocks of processes that accept events may differ; there is one journal."""
    received = T0 + timedelta(seconds=10)
    occurred = received if sent is None else received + timedelta(seconds=sent)
    contents = message(occurred_at=occurred.isoformat(), received_at=received.isoformat())
    event = TrackedEvent.from_message(contents, received + timedelta(seconds=at_journal))
    assert event.received_at == received + timedelta(seconds=at_journal)
    assert event.occurred_at == received + timedelta(seconds=occurs)
