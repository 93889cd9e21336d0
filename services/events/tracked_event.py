"""An event on its way from the ingress to its row."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from services.errors import ServiceError

LIVE_WITHIN = timedelta(minutes=1)
"""An event that arrives this soon after it occurred is judged as if it had arrived immediately."""


ACCEPTED_AT = "accepted_at"
"""In the content of an entry that was appended again: when it was first accepted."""


class UnreadableEvent(ServiceError):
    """Raised when a message is not an event, or another record, as the ingress sends them."""


class TrackedEvent(NamedTuple):
    """One accepted event of a company; see `services.events.records` for what else is accepted.

    `company` and `user` have every field that was sent except the id. `company` may lack a name. A
    `historical` event is about the past: the company's history is rewritten with it.
    """

    organization_id: int
    key_id: int | None
    event_id: str
    event_key: str
    company_id: str
    company: Mapping[str, Any]
    user_id: str | None
    user: Mapping[str, Any]
    data: dict[str, Any] | None
    occurred_at: datetime
    received_at: datetime
    historical: bool = False

    @classmethod
    def from_message(
        cls, message: Mapping[str, Any], accepted_at: datetime | None = None
    ) -> "TrackedEvent":
        """Read an entry of the journal that is decoded already, or one of a `persist` message.

        `accepted_at` is when it was accepted by the clock of the journal, which is one for all
        processes that accept events; it replaces the time of the process that received the event.
        The content of an entry that was appended again has that time itself.

        Raises:
            UnreadableEvent: a field is missing or of another type.
        """
        try:
            company, user = dict(message["company"]), dict(message["user"] or ())
            occurred_at, received_at = read_times(message, accepted_at)
            event = cls(
                organization_id=message["organization_id"],
                key_id=message["key_id"],
                event_id=message["event_id"],
                event_key=message["event_key"],
                company_id=company.pop("id"),
                company=company,
                user_id=user.pop("id", None),
                user=user,
                data=message["data"],
                occurred_at=occurred_at,
                received_at=received_at,
                historical=message.get("historical") is True,
            )
            event._check_types()
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnreadableEvent(f"{type(error).__name__}: {error}") from error
        return event

    def _check_types(self) -> None:
        """Check the types that the columns of tables need: PostgreSQL's error names no event.

        Raises:
            KeyError, TypeError: a value is missing or of another type.
        """
        texts = self.event_id, self.event_key, self.company_id, self.company.get("name", "")
        if (
            type(self.organization_id) is not int
            or not (self.key_id is None or type(self.key_id) is int)
            or not all(type(text) is str for text in texts)
            or not (self.user_id is None or type(self.user_id) is str)
            or not (self.data is None or type(self.data) is dict)
        ):
            raise TypeError("a value is of another type than those of events")

    @property
    def is_late(self) -> bool:
        """Whether it is about the past: it arrived more than a minute after it occurred."""
        return is_late(self.occurred_at, self.received_at)

    @property
    def takes_effect_at(self) -> datetime:
        """The time from which it can change the company's health.

        A late event counts at the time it occurred, but cannot have changed the health of a
        company before it arrived.
        """
        return self.received_at if self.is_late else self.occurred_at


def is_late(occurred_at: datetime, received_at: datetime) -> bool:
    """Return whether what occurred arrived too late to be judged as if it had arrived at once."""
    return received_at - occurred_at > LIVE_WITHIN


def read_times(
    message: Mapping[str, Any], accepted_at: datetime | None
) -> tuple[datetime, datetime]:
    """Return when a record occurred, and when it was received; see `TrackedEvent.from_message`.

    Raises:
        KeyError, TypeError, ValueError: a time is missing, unreadable, or without an offset.
    """
    occurred_at = datetime.fromisoformat(message["occurred_at"])
    received_at = datetime.fromisoformat(message["received_at"])
    if occurred_at.tzinfo is None or received_at.tzinfo is None:
        raise TypeError("a time has no offset")
    if ACCEPTED_AT in message:
        accepted_at = datetime.fromisoformat(message[ACCEPTED_AT])
    if accepted_at is None:
        return occurred_at, received_at
    # Without a time of its own, it occurred when it was received.
    had_own_time = occurred_at < received_at
    return min(occurred_at, accepted_at) if had_own_time else accepted_at, accepted_at


def with_time_of_acceptance(content: bytes, accepted_at: datetime) -> bytes:
    """Return the content of an entry with the time at which it was first accepted.

    An entry that is appended to the journal again has a later time there.
    """
    return orjson.dumps({**orjson.loads(content), ACCEPTED_AT: accepted_at})
