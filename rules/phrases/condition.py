"""What every phrase of a rule has in common: it is judged in a situation and makes a finding.

The kinds of phrases are in `counting`, `amounts`, `fields` and `together`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, Protocol

from rules.facts import Facts, Selector

Level = int | None
"""Index of a status, 0 the best; None is not applicable (N/A)."""


Truth = bool | None
"""Whether something holds; None where that cannot be judged."""


class OtherFlags(Protocol):
    """The flags of the same company that are judged before this one."""

    def level(self, flag: str, at: datetime) -> Level:
        """A flag's level at an instant."""
        ...

    def next_change(self, flag: str, after: datetime) -> datetime | None:
        """The first instant after this one at which a flag changes, or may change by itself."""
        ...


@dataclass(frozen=True)
class Situation:
    """What a phrase is judged by: the facts of a company at an instant, and which events count."""

    facts: Facts
    selector: Selector
    at: datetime
    flags: OtherFlags


@dataclass(frozen=True)
class Finding:
    """Whether a phrase holds at an instant, and what could change that.

    `holds` is None where it cannot be judged: a field is missing, there is nothing to average or
    to compare with. `changes_at` is the earliest instant at which it changes with no further
    event, None if it never does; for several phrases together, that of the earliest of them.
    `awaits_event` tells whether a further event could change it. `seen` is what it rests on, as
    its phrase defines it.
    """

    holds: Truth
    changes_at: datetime | None = None
    awaits_event: bool = False
    evidence: Any = None


class Condition(ABC):
    """One phrase. `str()` of it is its canonical form, which reads back as the same condition."""

    affected_by_late_events: ClassVar[bool] = False
    """Whether an event of the past can make it hold although none of now could."""

    counts_events: ClassVar[bool] = False
    """Whether it is about events, and not about fields or other flags."""

    @abstractmethod
    def evaluate(self, situation: Situation) -> Finding:
        """Judge in a situation."""

    @abstractmethod
    def describe(self, finding: Finding) -> str:
        """What was found, in a few words, such as `3 times`."""

    def missing(self, _finding: Finding) -> str | None:
        """How many further events would change it, such as `2 more`; None if none would."""
        return None

    def preventing_events(self, _finding: Finding, _events: str) -> str | None:
        """What, had it come before, would have kept a finding from turning out as it did.

        `_events` names the events that count, such as `Report created`: `2 more Report created`.
        None if no event would have.
        """
        return None

    @property
    def events_needed(self) -> int:
        """How many of the latest events decide it; 0 where it does not rest on those."""
        return 0

    @property
    def lookback(self) -> timedelta:
        """How far back the events lie that it rests on."""
        return timedelta(0)

    @property
    def company_fields(self) -> tuple[str, ...]:
        """The fields of the company that it rests on, as they are written below `company`."""
        return ()

    @property
    def other_flags(self) -> tuple[str, ...]:
        """The flags that it rests on."""
        return ()

    @property
    def parts(self) -> tuple["Condition", ...]:
        """The phrases that it puts together."""
        return ()

    @cached_property
    def nesting_depth(self) -> int:
        """How many phrases stand within each other in it, at most."""
        return max((1 + part.nesting_depth for part in self.parts), default=0)

    def __iter__(self) -> Iterator["Condition"]:
        """This phrase, and all that it puts together."""
        yield self
        for part in self.parts:
            yield from part


class Windowed(Condition):
    """A phrase about the events in a window."""

    counts_events: ClassVar[bool] = True
    window: timedelta

    @property
    def lookback(self) -> timedelta:
        """See `Condition.reach`."""
        return self.window


class OnField(Condition):
    """A phrase that rests on one field of the company."""

    field: str

    @property
    def company_fields(self) -> tuple[str, ...]:
        """See `Condition.company_fields`."""
        return (self.field,)


class Bound(StrEnum):
    """How an amount is compared, in its canonical words."""

    BELOW = "below"
    AT_MOST = "at most"
    AT_LEAST = "at least"
    ABOVE = "above"

    def admits(self, amount: Decimal, limit: Decimal) -> bool:
        """Whether an amount is below, at most, at least or above a limit."""
        match self:
            case Bound.BELOW:
                return amount < limit
            case Bound.AT_MOST:
                return amount <= limit
            case Bound.AT_LEAST:
                return amount >= limit
            case Bound.ABOVE:
                return amount > limit

    @property
    def is_upper_bound(self) -> bool:
        """Whether a small amount makes it hold."""
        return self in (Bound.BELOW, Bound.AT_MOST)


def format_number(number: Decimal) -> str:
    """A number without an exponent and without trailing zeros."""
    digits = f"{number:f}" if number else "0"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
