"""What is read from an event of another product: an event, or fields of a company or a user."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a record is about."""

    EVENT = "event"
    COMPANY = "company"
    """The fields of a company, and of a user who belongs to it if it names one."""
    USER = "user"
    """The fields of a user."""


class UnreadableRecord(ValueError):
    """Raised when nothing can be made of an event of another product.

    The message is the reason; `path` is where in the event the fault is, outermost key first.
    """

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Record:
    """What is read from one event of another product, not validated yet.

    `name` is the name of an event as it was sent. `company` and `user` have an `id`, and the fields
    that were sent with it; a company without an `id` is None, and so is a user. `id` is the
    sender's id of the record, and `at` its time, aware and corrected by the sender's clock as far
    as the format allows; both are None if it has none. `automatic` is an event that the product
    sends by itself, so that nobody may want it: a page that was seen, for instance.
    """

    kind: Kind
    name: str | None = None
    company: Mapping[str, Any] | None = None
    user: Mapping[str, Any] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    at: datetime | None = None
    automatic: bool = False
