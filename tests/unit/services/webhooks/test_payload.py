import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from models.health.transitions import StoredTransition
from services.webhooks.payload import build_payload

TRIGGER = {
    "flag": "Complete Value Action",
    "status": "At Risk",
    "threshold": "Less than 5 times in 7 days",
}


def payload(
    *,
    before: str = "Healthy",
    after: str = "At Risk",
    cause: str = "time",
    at: datetime = datetime(2024, 1, 20, 10, 30, tzinfo=UTC),
    name: str = "Acme Corp",
) -> dict[str, Any]:
    transition = StoredTransition(
        id=UUID(int=1),
        organization_id=1,
        company_id=2,
        sequence=3,
        at=at,
        from_status=before,
        to_status=after,
        cause=cause,
        changes=[],
        rules_version=1,
        recorded_at=at,
    )
    body: dict[str, Any] = json.loads(
        build_payload(
            message_id="msg_1",
            transition=transition,
            company_id="company_123",
            company_name=name,
            triggers=[TRIGGER],
        )
    )
    return body


def test_a_payload_has_the_documented_fields_plus_id_sequence_and_cause() -> None:
    assert payload() == {
        "event": "health_score_changed",
        "id": "msg_1",
        "sequence": 3,
        "cause": "time",
        "company": {
            "id": "company_123",
            "name": "Acme Corp",
            "health_status": "At Risk",
            "previous_status": "Healthy",
        },
        "timestamp": "2024-01-20T10:30:00.000Z",
        "triggers": [
            {
                "flag": "Complete Value Action",
                "status": "At Risk",
                "threshold": "Less than 5 times in 7 days",
            }
        ],
    }


def test_a_change_of_a_flag_without_a_change_of_status_is_threshold_crossed() -> None:
    body = payload(before="At Risk", after="At Risk")
    assert body["event"] == "threshold_crossed"
    assert body["company"]["health_status"] == body["company"]["previous_status"] == "At Risk"


@pytest.mark.parametrize("cause", ["event", "time", "override", "rule_change"])
def test_the_payload_has_the_recorded_cause(cause: str) -> None:
    assert payload(cause=cause)["cause"] == cause


def test_the_timestamp_is_in_utc_with_milliseconds() -> None:
    at = datetime(2024, 1, 20, 12, 30, 0, 987654, tzinfo=timezone(timedelta(hours=2)))
    assert payload(at=at)["timestamp"] == "2024-01-20T10:30:00.987Z"


def test_names_in_any_script_are_unchanged() -> None:
    name = 'Bücher "Söhne" \N{HONEYBEE}'
    assert payload(name=name)["company"]["name"] == name
