"""The states of one company at the ends of days, and what they contribute to the daily figures.

Days are UTC days. A company counts from the day on which it was first seen; at the end of a day it
has the status and the raised flags of its last transition by then, and the value that its field had
by then, none if that is not known. From the day on which it leaves, it is counted nowhere.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from models.portfolio.contributions import CountedCompany, CountedTransition
from models.portfolio.daily_figures import NOTHING, Amount, FigureDay, Kind
from rules.book import RuleBook

BookOf = Callable[[int], RuleBook]
"""Returns the rules of a version."""

ValueOf = Callable[[Any], Decimal | None]
"""Returns what a company is worth by the value of its field."""


LEFT = ""
"""The status of a company that left, which counts nowhere."""


@dataclass(frozen=True)
class DayState:
    """The state of a company at the end of a day, and of the following ones without another."""

    day: date
    status: str
    at_risk: bool = False
    flags: frozenset[str] = frozenset()
    value: Decimal | None = None

    def as_json(self) -> list[Any]:
        """Return the state as it is stored."""
        value = None if self.value is None else str(self.value)
        return [self.day.isoformat(), self.status, self.at_risk, sorted(self.flags), value]

    @classmethod
    def from_json(cls, stored: Sequence[Any]) -> "DayState":
        """Read a state as it is stored."""
        day, status, at_risk, flags, value = stored
        amount = None if value is None else Decimal(value)
        return cls(date.fromisoformat(day), status, at_risk, frozenset(flags), amount)


def day_states(company: CountedCompany, book_of: BookOf, value_of: ValueOf) -> list[DayState]:
    """Return the states of a company at the end of each day on which anything of them changed."""
    transitions = company.transitions
    before = transitions[0].from_status if transitions else company.health_status
    first_seen = _day(company.first_seen_at)
    first = min(first_seen, _day(transitions[0].at)) if transitions else first_seen
    state = DayState(first, before)
    by_day = {first: state}
    changes: list[tuple[datetime, CountedTransition | None, Any]] = sorted(
        [
            *((transition.at, transition, None) for transition in transitions),
            *((at, None, value) for at, value in company.field_values),
        ],
        key=lambda change: change[0],
    )
    for at, transition, value in changes:
        day = max(first, _day(at))
        if transition is None:
            state = replace(state, day=day, value=value_of(value))
        else:
            state = _after(replace(state, day=day), transition, book_of(transition.rules_version))
        by_day[day] = state
    return list(_without_repeats(_until_left(by_day.values(), company.left_on)))


def _until_left(states: Iterable[DayState], left_on: date | None) -> Iterator[DayState]:
    """Yield the states before a company left, and the one that counts nowhere."""
    if left_on is None:
        yield from states
        return
    before = [state for state in states if state.day < left_on]
    yield from before
    if before:
        yield DayState(left_on, LEFT)


def _after(state: DayState, transition: CountedTransition, book: RuleBook) -> DayState:
    flags = set(state.flags)
    for change in transition.changes:
        if book.level_of(change["to"]):
            flags.add(change["flag"])
        else:
            flags.discard(change["flag"])
    at_risk = bool(book.level_of(transition.to_status))
    return replace(state, status=transition.to_status, at_risk=at_risk, flags=frozenset(flags))


def _without_repeats(states: Any) -> Iterator[DayState]:
    last: DayState | None = None
    for state in states:
        if last is None or replace(last, day=state.day) != state:
            yield state
            last = state


def contributions(states: Sequence[DayState]) -> dict[FigureDay, Amount]:
    """Return by how much the states of a company change each figure on each day."""
    changes: dict[FigureDay, Amount] = {}
    previous: dict[tuple[Kind, str], Amount] = {}
    for state in states:
        current = _figures(state)
        for kind, name in previous.keys() | current.keys():
            figure = kind, name
            change = current.get(figure, NOTHING) - previous.get(figure, NOTHING)
            if change:
                changes[FigureDay(kind, name, state.day)] = change
        previous = current
    return changes


def _figures(state: DayState) -> dict[tuple[Kind, str], Amount]:
    """Return the figures in which a company is counted."""
    if state.status == LEFT:
        return {}
    amount = Amount(1, state.value or Decimal())
    figures = {(Kind.STATUS, state.status): amount}
    if state.at_risk:
        figures[Kind.AT_RISK, ""] = amount
    return figures | {(Kind.FLAG, flag): amount for flag in state.flags}


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
