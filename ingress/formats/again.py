"""Reads refused calls of other products again, for `ingress.again`."""

from dataclasses import replace
from functools import partial
from typing import Any

from ingress.client.errors import ApiError
from ingress.client.steps import Steps
from ingress.event.accepting import Accepting
from ingress.formats import cloud_events, posthog, segment
from ingress.formats.form import Form, Sent
from ingress.formats.records import Reading
from ingress.strict_json import Json
from queues.refused.requests import RefusedRequest


def _read_again(
    form: Form, accepting: Accepting, body: Json, request: RefusedRequest
) -> Steps[dict[str, Any]]:
    """Return the contents of a `persist` message for a refused call, in steps.

    It arrived when it did first, so that the sender's clock is corrected as it was then.

    Raises:
        ApiError: it is refused again.
    """
    call, refusal = body.value, request.refusal
    is_migration = isinstance(call, dict) and call.get(posthog.HISTORICAL) is True
    reading = Reading(
        accepting.gate,
        form,
        accepting.holder,
        accepting.received_at,
        body,
        Sent([call], is_batch=False, historical=is_migration or refusal.path == segment.IMPORT),
    )
    record = reading.read(call, refusal.at)
    if record is None:
        raise ApiError(400, "Nothing of this call is kept")
    at = record.at or refusal.at
    own_id = record.id or refusal.event_id or f"refused-{request.id}"
    return (yield from reading.entry(replace(record, at=at, id=own_id)))


READERS = {
    form.name: partial(_read_again, form)
    for form in (segment.TRACK_CALL, posthog.FORMS[0], cloud_events.FORM)
}
"""By the form of a refused call."""
