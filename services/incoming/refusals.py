"""Refused requests: choosing among them, showing them, and the audit log of what is done."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.printable import printable_json
from models.database import transaction
from models.organizations import audit_log
from queues.refused.requests import LARGEST_BODY, Refusal, RefusedRequest, RefusedRequests
from services.accounts.audit import Maker, change_by
from services.events.entries import as_text

_AUDITED = 20
"""The most events that an entry of the audit log names."""


@dataclass(frozen=True)
class RefusalFilter:
    """Which requests to choose; None is no filter.

    `event` is an event key, `reason` a part of the error or of a fault, in any case.
    """

    event: str | None = None
    reason: str | None = None
    since: datetime | None = None

    def matches(self, refusal: Refusal) -> bool:
        """Whether a request is chosen."""
        return (
            (self.event is None or refusal.event_key == self.event)
            and (self.reason is None or self.reason.lower() in _searched(refusal).lower())
            and (self.since is None or refusal.at >= self.since)
        )

    def among(self, requests: Iterable[RefusedRequest]) -> Iterator[RefusedRequest]:
        """Yield the requests that are chosen."""
        return (request for request in requests if self.matches(request.refusal))


def body_text(body: bytes) -> str:
    """Return a body as printable text; indented if it is JSON that says all of it that way."""
    try:
        value = json.loads(body, object_pairs_hook=_unique)
        return printable_json(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
    except (ValueError, RecursionError):
        return as_text(body)


def body_to_correct(body: bytes) -> str:
    """Return a body as `body_text` does, but not indented if that would make it too large."""
    text = body_text(body)
    return text if len(text.encode()) <= LARGEST_BODY else as_text(body)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; one that repeats a key would lose a value.

    Raises:
        ValueError: it repeats a key.
    """
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return value


def record_sent_again(
    organization_id: int, event_ids: Sequence[str], *, maker: Maker, at: datetime
) -> None:
    """Write into the audit log that refused events were sent again and accepted."""
    if event_ids:
        _record(organization_id, "Refused events sent again", event_ids, maker, at)


def record_corrected(organization_id: int, name: str, *, maker: Maker, at: datetime) -> None:
    """Write into the audit log that a refused request was corrected, sent again and accepted.

    `name` is the id of its event, or its own.
    """
    _record(organization_id, "Refused request corrected and sent again", [name], maker, at)


def drop(
    organization_id: int,
    refused: RefusedRequests,
    requests: Sequence[RefusedRequest],
    *,
    maker: Maker,
    at: datetime,
) -> int:
    """Forget refused requests, and return how many of them were still kept.

    Raises:
        RedisError: Redis does not answer; nothing is written into the audit log.
    """
    dropped = refused.forget(organization_id, [request.id for request in requests])
    if dropped:
        names = [request.refusal.event_id or request.id for request in requests]
        _record(organization_id, "Refused requests dropped", names, maker, at)
    return dropped


def _record(
    organization_id: int, action: str, names: Sequence[str], maker: Maker, at: datetime
) -> None:
    """Write the audit log, in a transaction of its own."""
    subject, detail = f"{len(names)} requests", {"requests": ", ".join(names[:_AUDITED])}
    if len(names) > _AUDITED:
        detail["requests"] += f" and {len(names) - _AUDITED} more"
    if len(names) == 1:
        [subject], detail = names, {}
    with transaction():
        audit_log.add(organization_id, change_by(maker, at, action, subject, detail))


def _searched(refusal: Refusal) -> str:
    faults = (
        f"{'.'.join(map(str, fault.get('path', ())))}: {fault.get('message', '')}"
        for fault in refusal.details
    )
    return "\n".join((f"{refusal.status} {refusal.error}", *faults))
