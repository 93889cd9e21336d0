"""What an edit of the rules certainly does to the flags of a company, judged at one instant alone.

Most edits leave most companies as they are. A flag with `for` or `recover` depends on what was
before, but not always: without `for`, a phrase that holds raises it whatever was before, and if
`recover` holds and no other phrase does, it is not raised. All that an edit changes is certain
unless a flag that it changes depends on what was before, or one that refers to such a flag.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from rules.book import RuleBook, events_needed_by_key, worst_level
from rules.durations import shift
from rules.facts import Facts
from rules.flags import Flag, FlagMemory, Reason, Verdict
from rules.judging.settlement import new_or_changed_flags
from rules.judging.state import Cause, FlagChange, Transition
from rules.phrases.condition import Level, LevelsOnce, Situation


@dataclass(frozen=True)
class CertainEffect:
    """What is certain about the flags that an edit changes, for one company.

    If `is_certain`, `transition` is all that changes, None if nothing does. Otherwise,
    `without_memory` are the flags whose verdict does not depend on what was before; see `NewRules`.
    """

    is_certain: bool
    transition: Transition | None = None
    without_memory: frozenset[str] = frozenset()


class RuleEdit:
    """The flags that differ between two books."""

    def __init__(self, previous: RuleBook, book: RuleBook) -> None:
        self._book = book
        self._names = new_or_changed_flags(previous, book)
        self._affected = tuple(_with_referring(book.in_dependency_order, self._names))
        self.edited = tuple(flag for flag in self._affected if flag.name in self._names)
        self.previous = previous
        self.removed = previous.flags_by_name.keys() - book.flags_by_name.keys()

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
        """The company fields that the edited flags and those that refer to them depend on."""
        return frozenset(name for flag in self._affected for name in flag.company_fields)

    def looks_back_to(self, now: datetime) -> datetime:
        """Return from when on events matter to what the edited flags were before `now`."""
        return shift(now, -2 * max((flag.warm_up for flag in self.edited), default=timedelta(0)))

    def effect(
        self, status: str, levels: Mapping[str, Level], facts: Facts, now: datetime
    ) -> CertainEffect:
        """Return what is certain at `now` about a company with a status and levels of all flags."""
        is_certain = True
        without_memory = set()
        changes: dict[str, FlagChange] = {}
        present = dict(levels)
        for flag in self._affected:
            is_edited = flag.name in self._names
            if not is_edited and not (is_certain and flag.other_flags & changes.keys()):
                continue
            verdict = certain_verdict(flag, facts, now, present)
            if verdict is None:
                is_certain = False
                continue
            depends_on_memory = _may_recover(flag, verdict)
            # The flags that it refers to may be others than assumed, if any of them may change.
            if is_edited and not flag.other_flags and not depends_on_memory:
                without_memory.add(flag.name)
            before, after = levels.get(flag.name), verdict.level
            if before != after:
                change = FlagChange(now, flag.name, before, after, Cause.RULE_CHANGE, verdict)
                is_certain &= not (depends_on_memory and change.is_crossing)
                changes[flag.name], present[flag.name] = change, after
        if not is_certain:
            return CertainEffect(is_certain=False, without_memory=frozenset(without_memory))
        transition = self._merge(changes.values(), status, levels, now)
        return CertainEffect(is_certain=True, transition=transition)

    def _merge(
        self,
        changes: Collection[FlagChange],
        status: str,
        levels: Mapping[str, Level],
        now: datetime,
    ) -> Transition | None:
        """Merge changes of flags into what they change about the company; None if nothing.

        Its status follows from its levels, so it cannot change without a crossing.
        """
        crossings = tuple(change for change in changes if change.is_crossing)
        if not crossings:
            return None
        after = {name: levels.get(name) for name in self._book.flags_by_name}
        after |= {change.flag: change.after for change in changes}
        status_after = self._book.statuses[worst_level(after.values())]
        return Transition(now, status, status_after, Cause.RULE_CHANGE, crossings, after)


def _with_referring(in_order: Iterable[Flag], names: Collection[str]) -> Iterator[Flag]:
    """Yield the flags of these names and those that refer to them, in dependency order."""
    affected: set[str] = set()
    for flag in in_order:
        if flag.name in names or flag.other_flags & affected:
            affected.add(flag.name)
            yield flag


def certain_verdict(
    flag: Flag, facts: Facts, now: datetime, levels: Mapping[str, Level]
) -> Verdict | None:
    """Return the verdict of a flag if its level is the same whatever was before; None if not.

    `levels` are those of the flags that it refers to.
    """
    situation = Situation(facts, flag.selector, now, LevelsOnce(levels))
    verdict = flag.evaluate(situation, FlagMemory())
    if verdict.reason is Reason.PENDING:
        return None  # it is raised if its phrase has held for long enough, or a worse one did
    if verdict.reason is Reason.CLEAR and flag.recover is not None:
        return verdict if flag.recover.evaluate(situation).holds is True else None
    return verdict


def _may_recover(flag: Flag, verdict: Verdict) -> bool:
    """Return whether the verdict states `recover` as the reason if the flag was raised before."""
    return flag.recover is not None and verdict.reason is Reason.CLEAR
