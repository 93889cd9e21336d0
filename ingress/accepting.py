"""Turns what a client sent as an event into what a worker stores, or says why it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingress.client.errors import ApiError
from ingress.client.gate import Gate
from ingress.event import ValidEvent
from ingress.event_ids import new_id
from ingress.schema import InvalidEvent, validate_event
from ingress.strict_json import Json, UnreadableBody, read_json
from models.keys.api_keys import KeyHolder


@dataclass(frozen=True)
class Accepting:
    """Accepts the events of one request, from one organization and at one time."""

    gate: Gate
    holder: KeyHolder
    received_at: datetime

    def event(
        self,
        payload: Any,
        given_id: str | None,
        *,
        storable: bool,
        faults: Sequence[Mapping[str, Any]] = (),
    ) -> dict[str, Any]:
        """The contents of a `persist` message for an event.

        Its id is its own, or the one that was given beside it, or a new one. `faults` are those
        found elsewhere in the request, to be told together with the event's.

        Raises:
            ApiError: it is not of the shape, not configured, or disabled.
        """
        try:
            event = validate_event(payload, self.received_at, storable=storable)
        except InvalidEvent as error:
            raise ApiError(400, "Invalid data", [*faults, *error.details]) from None
        if faults:
            raise ApiError(400, "Invalid data", faults)
        self.gate.check_configured(self.holder, event.event_key)
        return contents(self.holder, event, event.event_id or given_id, self.received_at)


def contents(
    holder: KeyHolder, event: ValidEvent, event_id: str | None, received_at: datetime
) -> dict[str, Any]:
    """What a `persist` message holds of an event; without an id it gets one."""
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
    """Read a body as `receive` returns it.

    Raises:
        ApiError: it is no JSON.
    """
    try:
        if isinstance(body, UnreadableBody):
            raise body
        return read_json(body)
    except UnreadableBody as error:
        raise ApiError(400, "Invalid JSON", [{"path": [], "message": str(error)}]) from None
