"""Sends refused requests again, after whatever they were refused for has been mended.

A request goes through the same checks as a new one, with the settings of now, and into the journal
in the same way. Only its time and its id are those of the first time. Its body may be corrected.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from redis import Redis

from config.settings import Settings
from ingress.batch import BATCH_PATH, HISTORICAL
from ingress.client.errors import ApiError, unavailable
from ingress.client.gate import Gate
from ingress.client.key_directory import Directory
from ingress.client.rate_limit import RateLimiter
from ingress.client.steps import Steps, run
from ingress.event.accepting import Accepting, parse
from ingress.event.event_ids import header_faults
from ingress.event.refusals import BATCH, EVENT, UNREAD
from ingress.event.valid_event import LARGEST_EVENT
from ingress.formats.again import READERS
from ingress.strict_json import Json
from ingress.updates.entries import READERS as UPDATE_READERS
from models.database import transaction
from models.keys import api_keys
from models.keys.api_keys import KeyHolder
from models.keys.scopes import DEFAULT_SCOPES, Scope
from queues.admissions import AdmissionRequest, Admissions, RateWindow
from queues.refused.requests import RefusedRequest, RefusedRequests, reason_of

Reader = Callable[[Accepting, Json, RefusedRequest], Steps[dict[str, Any]]]
"""Checks the body of a refused request, and returns what is appended to the journal, in steps.

Raises `ApiError` if it is refused again.
"""

CORRECTABLE = frozenset({400, 404})
"""The statuses of requests whose bodies may be at fault: an unknown event key may be misspelled."""

AT_ONCE = 50
"""Requests that are appended to the journal in one step."""

_WINDOW_SECONDS = 60
_NO_LIMIT = 1_000_000
"""The limit of an organization is for its clients."""


class SentAgain(NamedTuple):
    """What became of a request: the id of its event, or why it was refused again."""

    request: RefusedRequest
    event_id: str | None
    error: ApiError | None = None

    @property
    def reason(self) -> str | None:
        """Why it was refused again, as `Refusal.reason`; None if it was accepted."""
        return reason_of(self.error.error, self.error.details) if self.error else None


def may_be_corrected(request: RefusedRequest) -> bool:
    """Whether a request can be sent again with another body.

    Its whole body is kept, may be what it was refused for, and is of a form that can be sent again.
    """
    refusal = request.refusal
    return (
        refusal.body != b""
        and not request.is_cut
        and refusal.status in CORRECTABLE
        and refusal.form in FORMS
    )


class SendingAgain:
    """Sends requests of any organization again. Use one for one occasion: it caches settings."""

    def __init__(self, gate: Gate, now: Callable[[], datetime]) -> None:
        self._gate = gate
        self._now = now

    @classmethod
    def build(
        cls, settings: Settings, client: Redis, now: Callable[[], datetime]
    ) -> "SendingAgain":
        """Return one that reads the current settings and writes into the journal of a Redis."""
        limiter = RateLimiter(settings.rate_limit_redis_url, settings.rate_limit)
        return cls(Gate(Directory(), limiter, Admissions(client), RefusedRequests(client)), now)

    def send(self, organization_id: int, requests: Sequence[RefusedRequest]) -> Iterator[SentAgain]:
        """Send requests again, and yield what became of each; forget those that are accepted.

        An event has the same id each time, so if this ends halfway, sending again counts none
        twice.

        Raises:
            ApiError: the settings cannot be read, or nothing can be accepted at the moment. What
                was yielded before is done.
            RedisError: Redis does not answer; some events may be accepted and not forgotten.
        """
        for first in range(0, len(requests), AT_ONCE):
            yield from self._send_together(organization_id, requests[first : first + AT_ONCE])

    def correct(self, organization_id: int, request: RefusedRequest, body: bytes) -> SentAgain:
        """Send a request that `may_be_corrected` again with another body.

        It is forgotten if it is accepted, and stays as it is if it is refused again.

        Raises:
            ApiError, RedisError: as `send` does.
        """
        if len(body) > LARGEST_EVENT:
            message = f"An event is at most {LARGEST_EVENT // 1024} KB"
            too_large = ApiError(413, "Request body too large", [{"message": message}])
            return SentAgain(request, None, too_large)
        refusal = request.refusal
        # An invalid id is left out: it cannot be mended in a body that lacks it.
        event_id = None if header_faults(refusal.event_id) else refusal.event_id
        corrected = replace(
            request, refusal=replace(refusal, body=body, event_id=event_id), size=len(body)
        )
        [result] = self.send(organization_id, [corrected])
        return result

    def _send_together(
        self, organization_id: int, requests: Sequence[RefusedRequest]
    ) -> list[SentAgain]:
        results: list[SentAgain] = []
        events = []
        for request in requests:
            try:
                event = self._check(organization_id, request)
            except ApiError as error:
                if error.status >= 500:
                    raise
                results.append(SentAgain(request, None, error))
            else:
                events.append(event)
                results.append(SentAgain(request, event["event_id"]))
        if events:
            self._append(organization_id, events)
            accepted = [result.request.id for result in results if result.error is None]
            self._gate.refused.forget(organization_id, accepted)
        return results

    def _check(self, organization_id: int, request: RefusedRequest) -> dict[str, Any]:
        refusal = request.refusal
        if request.is_cut:
            raise ApiError(
                413, "Request body too large", [{"message": "Only its beginning is kept"}]
            )
        if refusal.status in UNREAD:
            raise ApiError(refusal.status, refusal.error, refusal.details)
        reader = FORMS.get(refusal.form)
        if reader is None:
            raise ApiError(400, *_WITHOUT_READER.get(refusal.form, _UNKNOWN_FORM))
        if refusal.status == 403:
            _check_scope(organization_id, refusal.key_id)
        # Its key was valid. That it is sent again is no use of the key.
        holder = KeyHolder(refusal.key_id or 0, organization_id, None, DEFAULT_SCOPES)
        accepting = Accepting(self._gate, holder, self._now())
        steps = reader(accepting, parse(refusal.body), request)
        return {**run(steps, self._gate.admissions), "key_id": None}

    def _append(self, organization_id: int, events: Sequence[dict[str, Any]]) -> None:
        window = RateWindow(organization_id, _NO_LIMIT, _WINDOW_SECONDS, kind="again")
        admission = self._gate.admissions.admit(AdmissionRequest(window, events))
        if admission.nearly_full or admission.requests > _NO_LIMIT:
            raise unavailable("The event queue is full", "what is not accepted stays in the list")


def _event(accepting: Accepting, body: Json, request: RefusedRequest) -> Steps[dict[str, Any]]:
    """Check an event as `/v1/track` takes it."""
    payload, refusal = body.value, request.refusal
    own_id = payload.get("event_id") if isinstance(payload, dict) else None
    header_id = None if own_id is not None else refusal.event_id
    event = yield from accepting.event(
        payload,
        header_id or f"refused-{request.id}",
        storable=body.is_storable(),
        faults=header_faults(header_id),
    )
    if not _has_time(payload):
        event["occurred_at"] = min(refusal.at, accepting.received_at)
    is_historical = refusal.path == BATCH_PATH and payload.get("historical") is True
    return {**event, **HISTORICAL} if is_historical else event


def _has_time(payload: Mapping[str, Any]) -> bool:
    timestamp = payload.get("timestamp")
    return isinstance(timestamp, str) and timestamp.strip() != ""


def _check_scope(organization_id: int, key_id: int | None) -> None:
    with transaction():
        keys = api_keys.list_for_organization(organization_id)
    if not any(
        key.id == key_id and key.revoked_at is None and Scope.SEND in key.scopes for key in keys
    ):
        message = "Add the scope to the key that sent it, and send it again then"
        raise ApiError(403, f"API key lacks the scope: {Scope.SEND}", [{"message": message}])


FORMS: dict[str, Reader] = {EVENT: _event, **READERS, **UPDATE_READERS}
"""By the form of a request."""

_WITHOUT_READER: dict[str, tuple[str, list[dict[str, Any]]]] = {
    BATCH: (
        "A batch that was refused as a whole cannot be sent again",
        [{"message": "Mend the client that sends it"}],
    )
}
_UNKNOWN_FORM: tuple[str, list[dict[str, Any]]] = (
    "This release cannot send requests of this form again",
    [],
)
