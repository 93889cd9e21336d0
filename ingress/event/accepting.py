"""Validates an event of a request and builds the contents of its `persist` message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingress.client.errors import ApiError
from ingress.client.gate import Gate
from ingress.client.steps import Steps
from ingress.event.event_ids import new_id
from ingress.event.schema import InvalidEvent, validate_event
from ingress.event.valid_event import ValidEvent
from ingress.strict_json import Json, UnreadableBody, read_json
from models.keys.api_keys import KeyHolder


@dataclass(frozen=True)
class Accepting:
    """Accepts the events of one request, all of one organization and received at one time."""

    gate: Gate
    holder: KeyHolder
    received_at: datetime

    def event(
        self,
        payload: Any,
        fallback_id: str | None,
        *,
        storable: bool,
        faults: Sequence[Mapping[str, Any]] = (),
    ) -> Steps[dict[str, Any]]:
        """Return the contents of a `persist` message for an event, in steps.

        The event's id is its own, `fallback_id`, or a new one. `faults` of other parts of the
        request are reported together with those of the event.

        Raises:
            ApiError: the event is invalid, not configured, or disabled.
        """
        try:
            event = validate_event(payload, self.received_at, storable=storable)
        except InvalidEvent as error:
            raise ApiError(400, "Invalid data", [*faults, *error.details]) from None
        if faults:
            raise ApiError(400, "Invalid data", faults)
        key = yield from self.gate.checking_configured(self.holder, event.event_key)
        made = contents(self.holder, event, event.event_id or fallback_id, self.received_at)
        made["event_key"] = key
        return made


def contents(
    holder: KeyHolder, event: ValidEvent, event_id: str | None, received_at: datetime
) -> dict[str, Any]:
    """Return the contents of a `persist` message for an event, which gets an id if it has none."""
    return {
        "organization_id": holder.organization_id,
        "key_id": holder.key_id,
        "event_id": event_id or new_id(),
        "event_key": event.event_key,
        "company": event.company,
        "user": event.user,
        "data": event.data,
        "occurred_at": event.occurred_at,
        "received_at": received_at,
    }


def parse(body: bytes | UnreadableBody) -> Json:
    """Parse a body that `receive` returned.

    Raises:
        ApiError: it is not JSON.
    """
    try:
        if isinstance(body, UnreadableBody):
            raise body
        return read_json(body)
    except UnreadableBody as error:
        raise ApiError(400, "Invalid JSON", [{"path": [], "message": str(error)}]) from None
