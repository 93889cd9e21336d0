"""Messages as the ingress writes them into the journal."""

from datetime import UTC, datetime
from typing import Any

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)


def message(**changed: Any) -> dict[str, Any]:
    contents: dict[str, Any] = {
        "organization_id": 1,
        "key_id": 2,
        "event_id": "e1",
        "event_key": "login",
        "company": {"id": "acme", "name": "Acme", "plan": "Pro"},
        "user": {"id": "u1", "email": "a@acme.com", "role": "Admin"},
        "data": {"source": "web"},
        "occurred_at": "2026-01-05T12:00:00+00:00",
        "received_at": "2026-01-05T12:00:00.250000+00:00",
    }
    return contents | changed
