"""Records of users without a company, and what they become once it is known."""

from datetime import timedelta

import pytest

from services.events.records import UnresolvedRecord, read_record
from services.events.tracked_event import TrackedEvent
from tests.unit.services.events.messages import T0, message


@pytest.mark.parametrize("historical", [False, True])
def test_an_event_keeps_all_of_its_values_when_its_company_is_known(*, historical: bool) -> None:
    record = read_record(message(company=None, **({"historical": True} if historical else {})))
    assert isinstance(record, UnresolvedRecord)
    assert record.of_company("acme") == TrackedEvent(
        organization_id=1,
        key_id=2,
        event_id="e1",
        event_key="login",
        company_id="acme",
        company={},
        user_id="u1",
        user={"email": "a@acme.com", "role": "Admin"},
        data={"source": "web"},
        occurred_at=T0,
        received_at=T0 + timedelta(milliseconds=250),
        historical=historical,
    )
