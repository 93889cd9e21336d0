"""Records of users without a company, and what they become once it is known."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.events.records import UnresolvedRecord, read_record
from services.events.tracked_event import TrackedEvent

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)


def message(**changed: Any) -> dict[str, Any]:
    contents: dict[str, Any] = {
        "organization_id": 1,
        "key_id": 2,
        "event_id": "e1",
        "event_key": "login",
        "company": None,
        "user": {"id": "u1", "role": "Admin"},
        "data": {"source": "web"},
        "occurred_at": "2026-01-05T12:00:00+00:00",
        "received_at": "2026-01-05T12:00:00+00:00",
    }
    return contents | changed


@pytest.mark.parametrize("historical", [False, True])
def test_an_event_keeps_all_of_its_values_when_its_company_is_known(*, historical: bool) -> None:
    record = read_record(message(**({"historical": True} if historical else {})))
    assert isinstance(record, UnresolvedRecord)
    assert record.of_company("acme") == TrackedEvent(
        organization_id=1,
        key_id=2,
        event_id="e1",
        event_key="login",
        company_id="acme",
        company={},
        user_id="u1",
        user={"role": "Admin"},
        data={"source": "web"},
        occurred_at=T0,
        received_at=T0,
        historical=historical,
    )
