"""What all phrases of a rule have in common: evaluating one in a situation returns a finding.

The kinds of phrases are in `counting`, `amounts`, `fields` and `logic`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Protocol

from rules.facts import Facts, Selector

Level = int | None
"""Index of a status, 0 is the best; None is not applicable (N/A)."""


Truth = bool | None
"""Whether a phrase holds; None if it cannot be evaluated."""


class OtherFlags(Protocol):
    """The flags of the same company that are evaluated before this one."""

    def level(self, flag: str, at: datetime) -> Level:
        """Return a flag's level at an instant."""
        ...

    def next_change(self, flag: str, after: datetime) -> datetime | None:
        """Return the first instant after `after` at which a flag changes or is due."""
        ...


@dataclass(frozen=True)
class LevelsOnce:
    """The levels of flags at one instant, as `OtherFlags` for a look at that instant alone."""

    levels: Mapping[str, Level]

    def level(self, flag: str, _at: datetime) -> Level:
        """See `OtherFlags.level`."""
        return self.levels.get(flag)

    def next_change(self, _flag: str, _after: datetime) -> datetime | None:
        """See `OtherFlags.next_change`."""
        return None


class Situation(NamedTuple):
    """What a phrase is evaluated on: a company's facts at an instant, and which events count."""

    facts: Facts
    selector: Selector
    at: datetime
    flags: OtherFlags


class Finding(NamedTuple):
    """Whether a phrase holds at an instant, and what could change that.

    `holds` is None if the phrase cannot be evaluated: a field is missing, or there is nothing to
    average or to compare with. `changes_at` is the earliest instant at which it changes without a
    further event, None if never; for combined phrases, the earliest among their parts.
    `awaits_event` is whether a further event could change it. `evidence` is what the finding is
    based on, as defined by each phrase.
    """

    holds: Truth
    changes_at: datetime | None = None
    awaits_event: bool = False
    evidence: Any = None


class Condition(ABC):
    """One phrase. Its `str()` is the canonical form, which parses back to an equal condition."""

    affected_by_late_events: ClassVar[bool] = False
    """Whether a late event can make it hold even where an event occurring now could not."""

    counts_events: ClassVar[bool] = False
    """Whether it counts events, rather than comparing fields or other flags."""

    @abstractmethod
    def evaluate(self, situation: Situation) -> Finding:
        """Evaluate the phrase in a situation."""

    @abstractmethod
    def describe(self, finding: Finding) -> str:
        """Describe a finding in a few words, such as `3 times`."""

    @property
    def events_needed(self) -> int:
        """How many of the latest events decide it; 0 if it does not depend on the latest events."""
        return 0

    @property
    def lookback(self) -> timedelta:
        """How far back events are taken into account."""
        return timedelta(0)

    @property
    def company_fields(self) -> tuple[str, ...]:
        """The company fields that it depends on, as written below `company`."""
        return ()

    @property
    def other_flags(self) -> tuple[str, ...]:
        """The flags that it depends on."""
        return ()

    @property
    def parts(self) -> tuple["Condition", ...]:
        """The phrases that it combines."""
        return ()

    @cached_property
    def nesting_depth(self) -> int:
        """How deep phrases are nested in it; 0 for a phrase without parts."""
        return max((1 + part.nesting_depth for part in self.parts), default=0)

    def __iter__(self) -> Iterator["Condition"]:
        """Iterate over this phrase and all phrases nested in it."""
        yield self
        for part in self.parts:
            yield from part


class Windowed(Condition):
    """A phrase about the events in a window."""

    counts_events: ClassVar[bool] = True
    window: timedelta

    @property
    def lookback(self) -> timedelta:
        """See `Condition.lookback`."""
        return self.window


class OnField(Condition):
    """A phrase that depends on one field of the company."""

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
        """Return whether an amount is below, at most, at least or above a limit."""
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
        """Whether it bounds the amount from above."""
        return self in (Bound.BELOW, Bound.AT_MOST)


def format_number(number: Decimal) -> str:
    """Return a number without an exponent and without trailing zeros."""
    digits = f"{number:f}" if number else "0"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
