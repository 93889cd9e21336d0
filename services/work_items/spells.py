"""The times for which flags of a company were raised, as its settlements found them.

A flag has a spell while it is raised, or would be if no person had overridden it. A snoozed flag
therefore keeps its spell, and a healthy one that a person set to Critical has one, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from rules.book import RuleBook
from rules.judging.overrides import effective_levels
from rules.judging.state import Cause, FlagChange, Settlement
from rules.phrases.condition import Level

Settlements = Sequence[tuple[RuleBook, int, Settlement]]


class Ended(StrEnum):
    """Why a spell ended."""

    RECOVERY = "recovery"
    NOT_APPLICABLE = "not_applicable"
    RULES = "rules"
    FLAG_REMOVED = "flag_removed"
    OVERRIDE = "override"


@dataclass
class Spell:
    """A time for which a flag was raised; `level` is what it counts as, or would.

    `raised_at` is None if it was raised before the settlements. `worse_since` is when the level
    became worse than `worse_from`, unless it became better again. `moved` is whether the level
    changed, `worsened` whether it ever became worse.
    """

    flag: str
    level: int
    raised_at: datetime | None
    moved: bool = False
    worsened: bool = False
    worse_since: datetime | None = None
    worse_from: int | None = None
    ended_at: datetime | None = None
    ended: Ended | None = None
    snoozed: bool = False

    def change(self, level: int, at: datetime) -> None:
        """Record another level."""
        worse = level > self.level
        self.moved, self.worsened = True, self.worsened or worse
        self.worse_since, self.worse_from = (at, self.level) if worse else (None, None)
        self.level = level

    def end(self, at: datetime, ended: Ended) -> None:
        """Record that the flag is not raised any more."""
        self.ended_at, self.ended = at, ended


@dataclass(frozen=True)
class _Levels:
    """The own and the effective level of a flag."""

    own: Level = None
    effective: Level = None

    @property
    def shown(self) -> int:
        return self.effective or self.own or 0

    @property
    def snoozed(self) -> bool:
        return bool(self.own and not self.effective)


class SpellFinder:
    """Follows the flags of one company through settlements.

    `own` and `effective` are the levels before, by the first book of the settlements; flags that
    have none were not raised.
    """

    def __init__(
        self, own: Mapping[str, Level] | None = None, effective: Mapping[str, Level] | None = None
    ) -> None:
        own, effective = own or {}, effective or {}
        self._levels = {f: _Levels(own.get(f), effective.get(f)) for f in {*own, *effective}}
        self._open: dict[str, Spell] = {}
        self._ended: list[Spell] = []
        for flag, levels in self._levels.items():
            if levels.shown:
                self._open[flag] = Spell(flag, levels.shown, None)

    def follow(self, settlements: Settlements, until: datetime) -> list[Spell]:
        """Return all spells, those that lasted until the end last.

        What the last settlement ends with counts; if nothing explains it, since `until`.
        """
        former: RuleBook | None = None
        for book, _, settlement in settlements:
            if former is not None:
                self._renumber(former, book)
            by_instant: dict[datetime, list[tuple[bool, FlagChange]]] = {}
            for change in settlement.changes:
                by_instant.setdefault(change.at, []).append((True, change))
            for change in (c for t in settlement.transitions for c in t.changes):
                by_instant.setdefault(change.at, []).append((False, change))
            for at, steps in sorted(by_instant.items(), key=lambda item: item[0]):
                self._apply(book, at, steps)
            former = book
        book, _, settlement = settlements[-1]
        self._conclude(book, settlement, until)
        return [*self._ended, *self._open.values()]

    def _renumber(self, former: RuleBook, book: RuleBook) -> None:
        """Convert levels to those of another book by status name, as judging does."""

        def renumber(level: Level) -> Level:
            if level is None:
                return None
            name = former.statuses[level]
            worst = len(book.statuses) - 1
            return book.statuses.index(name) if name in book.statuses else min(level, worst)

        self._levels = {
            flag: _Levels(renumber(levels.own), renumber(levels.effective))
            for flag, levels in self._levels.items()
        }
        for spell in self._open.values():
            spell.level = renumber(spell.level) or 0
            spell.worse_from = renumber(spell.worse_from)

    def _apply(
        self, book: RuleBook, at: datetime, steps: Iterable[tuple[bool, FlagChange]]
    ) -> None:
        """Apply everything that changed at one instant."""
        causes: dict[str, Cause] = {}
        for is_own, change in steps:
            levels = self._levels.get(change.flag, _Levels())
            changed = {"own": change.after} if is_own else {"effective": change.after}
            self._levels[change.flag] = replace(levels, **changed)
            causes[change.flag] = change.cause
        for flag, cause in causes.items():
            self._update(book, flag, at, cause)

    def _update(self, book: RuleBook, flag: str, at: datetime, cause: Cause) -> None:
        levels, spell = self._levels[flag], self._open.get(flag)
        if spell is None:
            if levels.shown:
                self._open[flag] = Spell(flag, levels.shown, at)
        elif not levels.shown:
            spell.end(at, _why_ended(book, flag, levels, cause))
            self._ended.append(self._open.pop(flag))
        elif levels.shown != spell.level:
            spell.change(levels.shown, at)

    def _conclude(self, book: RuleBook, settlement: Settlement, until: datetime) -> None:
        """End with what is recorded, whatever the changes were."""
        state = settlement.state
        effective = effective_levels(book, state)
        flags = {*self._levels, *state.flags, *effective}
        for flag in flags:
            own = state.flags[flag].level if flag in state.flags else None
            self._levels[flag] = _Levels(own, effective.get(flag))
            self._update(book, flag, until, Cause.RULE_CHANGE)
        for flag, spell in self._open.items():
            spell.snoozed = self._levels[flag].snoozed


def _why_ended(book: RuleBook, flag: str, levels: _Levels, cause: Cause) -> Ended:
    if flag not in book.flags_by_name:
        return Ended.FLAG_REMOVED
    if cause is Cause.RULE_CHANGE:
        return Ended.RULES
    if cause is Cause.OVERRIDE:
        return Ended.OVERRIDE
    return Ended.NOT_APPLICABLE if levels.own is None else Ended.RECOVERY
