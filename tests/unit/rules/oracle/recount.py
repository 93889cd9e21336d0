"""Recounts the results of phrases and flags by counting everything again at every instant.

It shares nothing with the evaluator except the classes that describe a phrase, a flag and an event.
Usually all events occur at whole seconds and all windows are whole seconds, so nothing can change
between two seconds: testing each second is testing every instant. With a smaller `unit`, only the
instants at which something can change are tested: those of events and dates, and those that are
windows and other durations away from them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from rules.book import RuleBook
from rules.facts import Selector
from rules.facts_in_memory import Occurrence
from rules.flags import Flag
from rules.judging.state import Transition
from rules.phrases.amounts import Amount, Change
from rules.phrases.condition import Condition, Level
from rules.phrases.counting import Absence, Count, Never
from rules.phrases.distinct import Distinct, Share
from rules.phrases.fields import FieldCompared, FieldIs, FieldMissing, FieldWithin
from rules.phrases.logic import AllOf, AnyOf, FlagIs, Not
from tests.unit.rules.oracle.values import (
    bounds,
    compares,
    count_distinct,
    instant_of,
    is_same,
    measure,
    number,
    same_json,
    value_at,
)

START = datetime(2024, 1, 20, 23, 59, 20, tzinfo=UTC)
"""Second 0; second 40 is midnight, which a date without a time refers to."""

SECOND = timedelta(seconds=1)


def at(second: int, unit: timedelta = SECOND) -> datetime:
    """Return the instant of a second."""
    return START + second * unit


def second_of(instant: datetime, unit: timedelta = SECOND) -> int:
    """Return the second of an instant."""
    seconds, rest = divmod(instant - START, unit)
    assert not rest
    return seconds


@dataclass(frozen=True)
class Sent:
    """One event as a client sends it, with the company's fields."""

    event: Occurrence
    company: Mapping[str, Any] = field(default_factory=dict)

    @property
    def second(self) -> int:
        return second_of(self.event.occurred_at)


LevelOf = Callable[[str, int], Level]


@dataclass
class History:
    """Everything sent about a company; at the same instant, in order of arrival.

    `unit` is that of the numbers which are called seconds.
    """

    sent: Sequence[Sent]
    unit: timedelta = SECOND

    def __post_init__(self) -> None:
        self.sent = sorted(self.sent, key=lambda sent: sent.event.occurred_at)
        self._selected: dict[str, list[tuple[int, Occurrence]]] = {}

    def selected(self, selector: Selector) -> list[tuple[int, Occurrence]]:
        """Return the events that a flag counts, each with its second."""
        key = repr(selector)
        if key not in self._selected:
            self._selected[key] = [
                (self.second_of(sent), sent.event)
                for sent in self.sent
                if _selects(selector, sent.event)
            ]
        return self._selected[key]

    def second_of(self, sent: Sent) -> int:
        """Return the second of an event."""
        return second_of(sent.event.occurred_at, self.unit)

    def date(self, value: Any) -> int | None:
        """Return the second of a field's value, if it is a date."""
        instant = instant_of(value)
        return None if instant is None else second_of(instant, self.unit)

    def company(self, path: Sequence[str], second: int) -> Any:
        """Return the value of a company field at a second."""
        values = [
            sent.company[path[0]]
            for sent in self.sent
            if self.second_of(sent) <= second and path[0] in sent.company
        ]
        return value_at(values[-1], path[1:]) if values else None

    def truth(  # noqa: C901, PLR0912 - one case for each kind of phrase
        self, condition: Condition, selector: Selector, now: int, level_of: LevelOf
    ) -> bool | None:
        """Return whether a phrase holds at a second; None if it cannot be evaluated."""

        def between(since: int, until: int) -> list[Occurrence]:
            return [event for when, event in self.selected(selector) if since < when <= until]

        def recent(window: timedelta) -> list[Occurrence]:
            return between(now - window // self.unit, now)

        match condition:
            case Count():
                return compares(
                    condition.comparison, len(recent(condition.window)), condition.times
                )
            case Absence():
                return not recent(condition.window)
            case Distinct():
                if condition.of == ("user",):
                    users_or_values = [event.user for event in recent(condition.window)]
                else:
                    users_or_values = [
                        value_at(e.data, condition.of[1:]) for e in recent(condition.window)
                    ]
                different = count_distinct(value for value in users_or_values if value is not None)
                return compares(condition.comparison, different, condition.number)
            case Share():
                whole = number(self.company(condition.field.split("."), now))
                if whole is None or whole <= 0:
                    return None
                users = {event.user for event in recent(condition.window)} - {None}
                part = whole * Fraction(condition.percent) / 100
                return bounds(condition.bound, Fraction(len(users)), part)
            case Never():
                start = self.date(self.company(condition.field.split("."), now))
                if start is None:
                    return None
                deadline = start + condition.window // self.unit
                return now >= deadline and not between(-(10**18), min(deadline, now))
            case Amount():
                values = [
                    number(value_at(e.data, condition.of[1:])) for e in recent(condition.window)
                ]
                measured = measure(condition.measure, [v for v in values if v is not None])
                if measured is None:
                    return None
                return bounds(condition.bound, measured, Fraction(condition.limit))
            case Change():
                window = condition.window // self.unit
                before = len(between(now - 2 * window, now - window))
                if before == 0 or before < Fraction(condition.ignore_previous_under):
                    return None
                latest, share = len(between(now - window, now)), Fraction(condition.percent) / 100
                if condition.upwards:
                    return latest >= before * (1 + share)
                return latest <= before * (1 - share)
            case FieldCompared():
                value = number(self.company(condition.field.split("."), now))
                if value is None:
                    return None
                return bounds(condition.bound, value, Fraction(condition.limit))
            case FieldIs():
                value = self.company(condition.field.split("."), now)
                return (
                    None
                    if value is None
                    else is_same(value, condition.expected) != condition.negated
                )
            case FieldMissing():
                missing = self.company(condition.field.split("."), now) is None
                return missing != condition.negated
            case FieldWithin():
                date = self.date(self.company(condition.field.split("."), now))
                return None if date is None else now < date <= now + condition.window // self.unit
            case FlagIs():
                level = level_of(condition.flag, now)
                if condition.or_worse and level is not None and condition.level is not None:
                    return level >= condition.level
                return level == condition.level
            case Not():
                truth = self.truth(condition.negated, selector, now, level_of)
                return None if truth is None else not truth
            case AllOf() | AnyOf():
                truths = [self.truth(p, selector, now, level_of) for p in condition.operands]
                decisive = isinstance(condition, AnyOf)
                if decisive in truths:
                    return decisive
                return None if None in truths else not decisive
        raise TypeError(condition)


class Recount:
    """The levels of every flag at every second from the first event on."""

    def __init__(
        self, book: RuleBook, sent: Sequence[Sent], until: int, unit: timedelta = SECOND
    ) -> None:
        self.book = book
        self.until = until
        self.history = History(sent, unit)
        self.first = min(self.history.second_of(event) for event in sent)
        self.instants = self._instants(until)
        self._positions = {instant: place for place, instant in enumerate(self.instants)}
        self._levels_by_flag: dict[str, list[Level]] = {}

    def level(self, flag: str, second: int) -> Level:
        """Return the level of a flag at a second."""
        if flag not in self._levels_by_flag:
            self._levels_by_flag[flag] = self._levels_of(self.book.flags_by_name[flag])
        return self._levels_by_flag[flag][self._positions[second]]

    def levels(self, second: int) -> dict[str, Level]:
        """Return the level of each flag at a second."""
        return {flag.name: self.level(flag.name, second) for flag in self.book.flags}

    def _instants(self, until: int) -> Sequence[int]:
        """Return the seconds at which a level can change, in order."""
        if self.history.unit == SECOND:
            return range(self.first, until + 1)
        dates = {
            self.history.date(value)
            for sent in self.history.sent
            for value in sent.company.values()
        }
        beginnings = {self.history.second_of(sent) for sent in self.history.sent}
        windows = {0}
        for flag in self.book.flags:
            phrases = [phrase for _, phrase in flag.conditions]
            for part in (part for phrase in [*phrases, flag.recover] if phrase for part in phrase):
                window = getattr(part, "window", timedelta(0)) // self.history.unit
                windows |= {window, 2 * window, -window}
        instants = {
            since + window for since in beginnings | (dates - {None}) for window in windows
        } | {self.first + flag.wait // self.history.unit for flag in self.book.flags}
        for flag in self.book.flags:  # one may refer to another
            instants |= {instant + flag.lasting // self.history.unit for instant in instants}
        return sorted({instant for instant in instants if self.first <= instant <= until} | {until})

    def _levels_of(self, flag: Flag) -> list[Level]:
        levels: list[Level] = []
        since: dict[int, int] = {}
        for now in self.instants:
            levels.append(self._evaluate(flag, now, levels[-1] if levels else None, since))
        return levels

    def _evaluate(self, flag: Flag, now: int, before: Level, since: dict[int, int]) -> Level:
        if now < self.first + flag.wait // self.history.unit or not self._applies(flag, now):
            since.clear()
            return None
        truths = {
            level: self.history.truth(phrase, flag.selector, now, self.level)
            for level, phrase in flag.conditions
        }
        for level, truth in truths.items():
            if truth:
                since.setdefault(level, now)
            else:
                since.pop(level, None)
        lasting = flag.lasting // self.history.unit
        reached = [
            level for level in since if now - since[level] >= lasting or (before or 0) >= level
        ]
        if reached:
            return max(reached)
        if not since and None in truths.values():
            return flag.if_missing
        if flag.recover is not None and before:
            recovered = self.history.truth(flag.recover, flag.selector, now, self.level)
            return 0 if recovered else min(truths)
        return 0

    def _applies(self, flag: Flag, now: int) -> bool:
        values = [(self.history.company(path, now), expected) for path, expected in flag.applies_to]
        return all(
            value is not None and any(is_same(value, accepted) for accepted in expected)
            for value, expected in values
        )

    def crossings(self) -> list["Crossing"]:
        """Return the expected crossings, from the first event on."""
        crossings: list[Crossing] = []
        status, before = 0, dict[str, Level]()
        for second in self.instants:
            levels = self.levels(second)
            changes = {
                name: (before.get(name), level)
                for name, level in levels.items()
                if (before.get(name) or 0) != (level or 0)
            }
            after = max(level or 0 for level in levels.values())
            if changes:
                statuses = self.book.statuses
                crossings.append((second, statuses[status], statuses[after], changes))
            status, before = after, levels
        return crossings


Crossing = tuple[int, str, str, dict[str, tuple[Level, Level]]]
"""A second, the status before and after it, and the levels of each flag that changed."""


def crossings(transitions: Sequence[Transition]) -> list[Crossing]:
    """Return recorded transitions in the form of a recount."""
    return [
        (second_of(t.at), t.before, t.after, {c.flag: (c.before, c.after) for c in t.changes})
        for t in transitions
    ]


def _selects(selector: Selector, event: Occurrence) -> bool:
    if selector.event_key not in (None, event.event_key):
        return False
    return all(
        any(same_json(value_at(event.data, path), value) for value in expected)
        for path, expected in selector.where
    )
