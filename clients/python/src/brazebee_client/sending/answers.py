"""What an answer means for the records of a request: a decision for each, and no I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Union

from brazebee_client.records import EVENT
from brazebee_client.sending.transport import Answer

LONGEST_RETRY_AFTER = 3600.0
"""Seconds; the window of the API's rate limit is an hour."""

LONGEST_PACE = 30.0
"""Seconds for which events wait at most so that the rate limit lasts."""


@dataclass(frozen=True)
class Refused:
    """One record that the API will never take as it is."""

    index: int
    status: int
    error: str
    details: Any = None


@dataclass(frozen=True)
class Settled:
    """Every record was accepted, but for those that were refused."""

    refused: list[Refused]


@dataclass(frozen=True)
class Smaller:
    """The request as a whole was not taken: its halves have to be sent, to find out why."""

    refused: Refused


@dataclass(frozen=True)
class Later:
    """Nothing was taken, as far as is known: the same has to be sent again.

    `seconds` is how long the server asked to wait.
    """

    reason: str
    seconds: float | None = None


@dataclass(frozen=True)
class Paused:
    """Somebody has to change something, such as the key, before anything is taken."""

    reason: str


Decision = Union[Settled, Smaller, Later, Paused]


def decide(kind: bytes, count: int, answer: Answer, now: datetime) -> Decision:
    """Decide what an answer to a request with `count` records of a kind means."""
    status, said = answer.status, _json_object(answer.body)
    error = said.get("error") if isinstance(said.get("error"), str) else None
    if status == 200:
        return _settled(said.get("results"), count)
    if status in (408, 425, 429) or status >= 500:
        return Later(
            f"{status} {error or ''}".rstrip(), _seconds(_header(answer, "Retry-After"), now)
        )
    if error and status in (400, 413):
        return Smaller(Refused(0, status, error, said.get("details")))
    if error and status in (404, 405) and kind != EVENT:
        reason = "This server has no such endpoint: it is older than this client"
        return Settled([Refused(index, status, reason) for index in range(count)])
    if status in (401, 403):
        return Paused(f"{status} {error or ''}".rstrip() + ": check the API key")
    return Paused(f"{status} {error or 'from something else than Brazebee'}: check the address")


def pace(answer: Answer, now: datetime) -> float:
    """Return seconds between requests by which the rate limit lasts until it is reset.

    Other processes use up the same limit; a quarter of it is for this one.
    """
    remaining = _header(answer, "X-RateLimit-Remaining") or ""
    reset = _header(answer, "X-RateLimit-Reset") or ""
    if not remaining.isdigit() or not reset.isdigit():
        return 0.0
    seconds = min(max(int(reset) - now.timestamp(), 0.0), LONGEST_RETRY_AFTER)
    return min(4 * seconds / max(int(remaining), 1), LONGEST_PACE)


def _header(answer: Answer, name: str) -> str | None:
    return next((v for key, v in answer.headers.items() if key.lower() == name.lower()), None)


def _settled(results: Any, count: int) -> Decision:
    if not isinstance(results, list) or len(results) != count:
        return Later("an answer that is not Brazebee's: check the address")
    refused = []
    for index, result in enumerate(results):
        if not isinstance(result, dict) or result.get("status") not in ("accepted", "rejected"):
            return Later("an answer that is not Brazebee's: check the address")
        if result["status"] == "rejected":
            error = str(result.get("error", "Rejected"))
            refused.append(Refused(index, 400, error, result.get("details")))
    return Settled(refused)


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """Return the seconds of a `Retry-After`, which may be an instant."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            instant = parsedate_to_datetime(retry_after)
        except (TypeError, ValueError):
            return None
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=timezone.utc)
        seconds = (instant - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if seconds == seconds else None  # noqa: PLR0124 -- not NaN
