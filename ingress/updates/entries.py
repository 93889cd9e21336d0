"""Reads fields of a company or a user, and makes what a worker stores of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from ingress.batch import check_size
from ingress.client.errors import ApiError
from ingress.client.steps import Steps
from ingress.event.accepting import Accepting
from ingress.event.schema import InvalidEvent
from ingress.event.shapes import CompanyUpdateSchema, Shape, UserUpdateSchema
from ingress.strict_json import Json, storage_faults
from models.keys.api_keys import KeyHolder
from queues.refused.requests import RefusedRequest
from serving.scopes import UNREADABLE

NO_UTF_8 = "The id in the path has to be UTF-8, percent-encoded"

OTHER_ID = "The path has another id: send the same, or leave this out"


class Kind(NamedTuple):
    """What an update is about: its name, that of several, and the shape of an update."""

    one: str
    several: str
    shape: Shape


COMPANY = Kind("company", "companies", Shape(CompanyUpdateSchema()))
USER = Kind("user", "users", Shape(UserUpdateSchema()))


@dataclass(frozen=True)
class Result:
    """The result of one update of several; `entry` is what a worker stores, if it was accepted."""

    id: str | None
    payload: Any
    entry: dict[str, Any] | None = None
    error: ApiError | None = None

    def as_json(self, index: int) -> dict[str, Any]:
        """Return its entry in the response."""
        entry: dict[str, Any] = {"index": index, "id": self.id, "status": "accepted"}
        if self.error:
            entry |= {"status": "rejected", "error": self.error.error}
            if self.error.details:
                entry["details"] = self.error.details
        return entry


def read_all(
    kind: Kind,
    holder: KeyHolder,
    payloads: list[Any],
    at: datetime,
    *,
    storable: bool,
    may_be_large: bool,
) -> Iterator[Result]:
    """Yield the result of each update; the parameters are those of `read_one`.

    With `may_be_large`, the size of each is checked.
    """
    for payload in payloads:
        try:
            entry = read_one(kind, holder, payload, at, storable=storable)
            if may_be_large:
                check_size(payload, f"A {kind.one}")
        except ApiError as error:
            yield Result(_id_in(kind, payload), payload, error=error)
        else:
            yield Result(entry[kind.one]["id"], payload, entry)


def read_one(
    kind: Kind, holder: KeyHolder, payload: Any, received_at: datetime, *, storable: bool
) -> dict[str, Any]:
    """Return the contents of a `persist` message without an event.

    Raises:
        ApiError: the update is invalid.
    """
    try:
        loaded = kind.shape.load(payload, received_at, storable=storable)
    except InvalidEvent as error:
        raise ApiError(400, "Invalid data", error.details) from None
    return {
        "organization_id": holder.organization_id,
        "key_id": holder.key_id,
        "event_id": None,
        "event_key": None,
        "company": loaded.get("company"),
        "user": loaded.get("user"),
        "data": None,
        "occurred_at": loaded["occurred_at"],
        "received_at": received_at,
    }


def with_id(kind: Kind, payload: Any, named: str) -> Any:
    """Return the body of a request with the id that its path has.

    Raises:
        ApiError: the body has another id, or that of the path cannot be stored.
    """
    path = (kind.one, "id")
    if UNREADABLE in named:
        raise ApiError(400, "Invalid data", [{"path": list(path), "message": NO_UTF_8}])
    if faults := list(storage_faults(named, path)):
        raise ApiError(400, "Invalid data", faults)
    fields = payload.get(kind.one) if isinstance(payload, dict) else None
    if not isinstance(fields, dict):
        return payload
    if fields.get("id", named) != named:
        raise ApiError(400, "Invalid data", [{"path": list(path), "message": OTHER_ID}])
    return {**payload, kind.one: {**fields, "id": named}}


def _id_in(kind: Kind, payload: Any) -> str | None:
    """Return the id that a rejected update carries, as far as it is one."""
    fields = payload.get(kind.one) if isinstance(payload, dict) else None
    found = fields.get("id") if isinstance(fields, dict) else None
    return found if isinstance(found, str) and found else None


def _read_again(
    kind: Kind, accepting: Accepting, body: Json, request: RefusedRequest
) -> Steps[dict[str, Any]]:
    """Return the contents of a `persist` message for a refused update, in steps."""
    yield from ()
    entry = read_one(
        kind, accepting.holder, body.value, accepting.received_at, storable=body.is_storable()
    )
    if entry["occurred_at"] == accepting.received_at:
        entry["occurred_at"] = min(request.refusal.at, accepting.received_at)
    return entry


READERS = {kind.one: partial(_read_again, kind) for kind in (COMPANY, USER)}
"""By the form of a refused update, for `ingress.again`."""
