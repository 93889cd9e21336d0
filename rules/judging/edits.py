"""What an edit of the rules certainly does to the flags of a company, judged at one instant alone.

Most edits leave most companies as they are. A flag with `for` or `recover` depends on what was
before, but not always: without `for`, a phrase that holds raises it whatever was before, and if
`recover` holds and no other phrase does, it is not raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from rules.book import RuleBook, events_needed_by_key
from rules.durations import shift
from rules.facts import Facts
from rules.flags import Flag, FlagMemory, Reason, Verdict
from rules.judging.settlement import new_or_changed_flags
from rules.phrases.condition import Level, LevelsOnce, Situation


@dataclass(frozen=True)
class CertainEffect:
    """What is certain about the flags that an edit changes, for one company.

    `may_change` is whether any of them has another level, or may have one. `without_memory` are
    those whose verdict does not depend on what was before; see `NewRules`.
    """

    may_change: bool
    without_memory: frozenset[str]


class RuleEdit:
    """The flags that differ between two books."""

    def __init__(self, previous: RuleBook, book: RuleBook) -> None:
        names = new_or_changed_flags(previous, book)
        self._in_order = book.in_dependency_order
        self.edited = tuple(flag for flag in self._in_order if flag.name in names)
        self.previous = previous
        self.removed = previous.flags_by_name.keys() - book.flags_by_name.keys()
        self._referred_to = {
            name for flag in book.flags if flag.name not in names for name in flag.other_flags
        }

    @cached_property
    def events_needed(self) -> Mapping[str | None, int]:
        """See `RuleBook.events_needed_by_key`; of the edited flags alone."""
        return events_needed_by_key(self.edited)

    @cached_property
    def company_fields(self) -> frozenset[str]:
        """The company fields that the edited flags depend on."""
        return frozenset(name for flag in self.edited for name in flag.company_fields)

    @cached_property
    def fields_of_referring_flags(self) -> frozenset[str]:
        """The company fields that flags depend on which refer to the edited ones."""
        names = {flag.name for flag in self.edited}
        fields: set[str] = set()
        for flag in self._in_order:
            if flag.name in names or flag.other_flags & names:
                names.add(flag.name)
                fields |= flag.company_fields
        return frozenset(fields)

    def looks_back_to(self, now: datetime) -> datetime:
        """Return from when on events matter to what the edited flags were before `now`."""
        return shift(now, -2 * max((flag.warm_up for flag in self.edited), default=timedelta(0)))

    def effect(self, levels: Mapping[str, Level], facts: Facts, now: datetime) -> CertainEffect:
        """Return what is certain at `now`; `levels` are the recorded ones of all flags."""
        may_change = False
        without_memory = set()
        present = dict(levels)
        for flag in self.edited:
            situation = Situation(facts, flag.selector, now, LevelsOnce(present))
            verdict = certain_verdict(flag, situation)
            if verdict is None:
                may_change = True
                continue
            may_change |= self._differs(flag.name, levels.get(flag.name), verdict.level)
            present[flag.name] = verdict.level
            # The flags that it refers to may be others than assumed, if any of them may change.
            if not flag.other_flags and not _may_recover(flag, verdict):
                without_memory.add(flag.name)
        return CertainEffect(may_change, frozenset(without_memory))

    def _differs(self, flag: str, before: Level, after: Level) -> bool:
        """Return whether a change is worth announcing, or may change other flags."""
        return (before or 0) != (after or 0) or (before != after and flag in self._referred_to)


def certain_verdict(flag: Flag, situation: Situation) -> Verdict | None:
    """Return the verdict of a flag if its level is the same whatever was before; None if not."""
    verdict = flag.evaluate(situation, FlagMemory())
    if verdict.reason is Reason.PENDING:
        return None  # it is raised if its phrase has held for long enough, or a worse one did
    if verdict.reason is Reason.CLEAR and flag.recover is not None:
        return verdict if flag.recover.evaluate(situation).holds is True else None
    return verdict


def _may_recover(flag: Flag, verdict: Verdict) -> bool:
    """Return whether the verdict states `recover` as the reason if the flag was raised before."""
    return flag.recover is not None and verdict.reason is Reason.CLEAR
