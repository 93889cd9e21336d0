"""Requests that the ingress refused, kept for a week so that they can be seen and sent again.

Each organization has a stream in Redis, bounded in number, bytes and time; so are all together.
Nothing about keys or headers is kept.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from redis import Redis
from redis.exceptions import RedisError

from queues.refused import unknown_event_keys

logger = logging.getLogger("brazebee.ingress")

MOST_REQUESTS = 1_000
"""The most requests that are kept for an organization."""

MOST_BYTES = 2 * 1024 * 1024
"""The most bytes that are kept for an organization."""

MOST_BYTES_OF_ALL = 64 * 1024 * 1024
"""The most bytes that are kept for all organizations: Redis is there for accepted events."""

KEPT_FOR = timedelta(days=7)

LARGEST_BODY = 32 * 1024
"""Bytes of a body that are kept; the rest of a larger one is cut off."""

MOST_DETAILS = 10
"""Faults that are kept of a request: enough to find the cause."""

_LONGEST_TEXT = 200
"""Characters that are kept of an event key and of an id, which may be anything before a check."""

_LONGEST_DETAILS = 4 * 1024

_LISTS, _SIZES, _PREFIX = "brazebee:refused:lists", "brazebee:refused:sizes", "brazebee:refused:of:"


@dataclass(frozen=True)
class Refusal:
    """A request that was refused, or one event of a batch.

    `form` is how the body is to be read: `brazebee` for an event as `/v1/track` takes it, `batch`
    for the body of a batch that was refused as a whole, and others for the endpoints of other
    products. `body` is the JSON of the event or call, without keys. `event_id` is the id of the
    event, from its body or its header, and `event_key` the key that it names; both as far as they
    could be read. An answer of 404 means that the key is not configured. If
    it is not to be kept, only its key is counted.
    """

    at: datetime
    form: str
    path: str
    status: int
    error: str
    details: Sequence[Mapping[str, Any]]
    body: bytes
    event_id: str | None
    key_id: int | None
    event_key: str | None = None
    is_kept: bool = True

    @property
    def reason(self) -> str:
        """The error with its first fault, as a phrase."""
        return reason_of(self.error, self.details)


def reason_of(error: str, details: Sequence[Mapping[str, Any]]) -> str:
    """Return an error with its first fault, such as `Invalid data: company.name: Required`.

    A fault that names a field only repeats the error.
    """
    if not details or "field" in details[0]:
        return error
    path = ".".join(str(step) for step in details[0].get("path", ()))
    message = str(details[0].get("message", ""))
    return ": ".join(part for part in (error, path, message) if part)


@dataclass(frozen=True)
class RefusedRequest:
    """A refusal that is kept, under an id of its own; `size` is that of the whole body."""

    id: str
    refusal: Refusal
    size: int

    @property
    def is_cut(self) -> bool:
        """Whether only the beginning of the body is kept."""
        return self.size > len(self.refusal.body)


class RefusedRequests:
    """The refused requests of all organizations. Methods raise RedisError, except `note`."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._note = client.register_script(_source("note"))
        self._forget = client.register_script(_source("forget"))

    def note(
        self,
        organization_id: int,
        refusals: Sequence[Refusal],
        now: datetime,
        *,
        nearly_full: bool = False,
    ) -> None:
        """Keep refused requests and count the event keys that are not configured.

        It is one round trip, and never raises: without Redis, it is logged. While Redis is
        `nearly_full`, keys are counted and no request is kept.
        """
        if not refusals:
            return
        unknown = Counter(r.event_key for r in refusals if r.status == 404 and r.event_key)
        kept = [part for each in refusals if each.is_kept for part in _written(each)]
        self._keep(organization_id, unknown, kept, now, nearly_full=nearly_full)

    def note_unknown(self, organization_id: int, keys: Mapping[str, int], now: datetime) -> None:
        """Count event keys that are not configured, such as those of a file, by how often.

        It never raises: without Redis, it is logged.
        """
        most = Counter(keys).most_common(unknown_event_keys.MAX_KEYS)
        cut = {key[:_LONGEST_TEXT]: times for key, times in most}
        self._keep(organization_id, cut, [], now, nearly_full=False)

    def _keep(
        self,
        organization_id: int,
        unknown: Mapping[str, int],
        kept: Sequence[bytes],
        now: datetime,
        *,
        nearly_full: bool,
    ) -> None:
        try:
            self._note(
                [unknown_event_keys.hash_of(organization_id), _LISTS, _SIZES],
                [
                    organization_id,
                    round(now.timestamp() * 1000),
                    unknown_event_keys.MAX_KEYS,
                    _ms(unknown_event_keys.KEPT_FOR),
                    len(unknown),
                    *(part for pair in unknown.items() for part in pair),
                    _PREFIX,
                    MOST_REQUESTS,
                    MOST_BYTES,
                    MOST_BYTES_OF_ALL,
                    _ms(KEPT_FOR),
                    int(nearly_full),
                    *kept,
                ],
            )
        except (RedisError, ValueError, TypeError) as error:
            logger.warning("%d refused requests were not kept: %s", len(kept) // 2, error)

    def page(
        self, organization_id: int, now: datetime, *, before: str | None = None, limit: int = 100
    ) -> list[RefusedRequest]:
        """Return the newest requests, newest first; those before an id if `before` is given."""
        newest = f"({before}" if before else "+"
        oldest = str(_ms_of(now - KEPT_FOR))
        found: Any = self._client.xrevrange(_list(organization_id), newest, oldest, count=limit)
        return [_read(entry_id, content) for entry_id, content in found]

    def every(
        self, organization_id: int, now: datetime, *, before: str | None = None
    ) -> Iterator[RefusedRequest]:
        """Yield all requests, newest first; those before an id if `before` is given."""
        while found := self.page(organization_id, now, before=before):
            yield from found
            before = found[-1].id

    def after(self, organization_id: int, last_id: str) -> list[RefusedRequest]:
        """Return the requests after an id, oldest first."""
        found: Any = self._client.xrange(_list(organization_id), f"({last_id}", "+")
        return [_read(entry_id, content) for entry_id, content in found]

    def last_id(self, organization_id: int) -> str:
        """Return the id of the newest request, or one before all others."""
        found: Any = self._client.xrevrange(_list(organization_id), count=1)
        return str(found[0][0].decode()) if found else "0-0"

    def find(self, organization_id: int, request_id: str) -> RefusedRequest | None:
        """Return a request; None if it is not, or no longer, kept."""
        if not is_id(request_id):
            return None
        found: Any = self._client.xrange(_list(organization_id), request_id, request_id)
        return _read(*found[0]) if found else None

    def count(self, organization_id: int) -> int:
        """Return how many requests are kept for an organization."""
        return int(self._client.xlen(_list(organization_id)))

    def forget(self, organization_id: int, request_ids: Sequence[str]) -> int:
        """Forget requests; return how many of them were still kept."""
        ids = [request_id for request_id in request_ids if is_id(request_id)]
        if not ids:
            return 0
        keys = [_list(organization_id), _LISTS, _SIZES]
        return int(self._forget(keys, [organization_id, *ids]))

    def forget_organization(self, organization_id: int) -> int:
        """Forget all requests of an organization; return how many."""
        return int(self._forget([_list(organization_id), _LISTS, _SIZES], [organization_id]))


def is_id(text: str) -> bool:
    """Whether a text is the id of a refused request, such as `1706092200000-0`."""
    first, dash, second = text.partition("-")
    return bool(dash) and all(
        part.isascii() and part.isdigit() and len(part) <= 20 and int(part) < 2**64
        for part in (first, second)
    )


def _written(refusal: Refusal) -> tuple[bytes, bytes]:
    """Return a refusal as it is kept, and its body apart."""
    body = refusal.body[:LARGEST_BODY]
    details = [dict(detail) for detail in refusal.details[:MOST_DETAILS]]
    if len(orjson.dumps(details)) > _LONGEST_DETAILS:
        details = [{"message": "The faults are too long to be kept"}]
    content = {
        "at": refusal.at.astimezone(UTC),
        "form": refusal.form,
        "path": refusal.path,
        "status": refusal.status,
        "error": refusal.error[: _LONGEST_TEXT * 2],
        "details": details,
        "size": len(refusal.body),
        "event_id": refusal.event_id and refusal.event_id[:_LONGEST_TEXT],
        "key_id": refusal.key_id,
        "event_key": refusal.event_key and refusal.event_key[:_LONGEST_TEXT],
    }
    return orjson.dumps(content), body


def _read(entry_id: bytes, content: dict[bytes, bytes]) -> RefusedRequest:
    written = orjson.loads(content[b"r"])
    size = written.pop("size")
    at = datetime.fromisoformat(written.pop("at"))
    return RefusedRequest(entry_id.decode(), Refusal(at=at, body=content[b"b"], **written), size)


def _list(organization_id: int) -> str:
    return f"{_PREFIX}{organization_id}"


def _source(name: str) -> str:
    return (Path(__file__).parent / f"{name}.lua").read_text(encoding="utf-8")


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _ms_of(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
