"""Phrases over phrases, `and`, `or` and `not`, and over other flags.

What cannot be judged stays so only where it matters: `and` is false if any part is, `or` is true
if any part is, whatever the others are (Kleene's three-valued logic).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rules.phrases.condition import Condition, Finding, Level, Situation, Truth
from rules.phrases.fields import quote


class Combined(Condition):
    """Several phrases together; `seen` of its findings is the findings of its parts."""

    combined: tuple[Condition, ...]
    word: ClassVar[str]
    single_part_decides: ClassVar[bool]
    """Whether each of the parts that hold, or else do not, could turn it by itself."""

    @property
    def parts(self) -> tuple[Condition, ...]:
        """See `Condition.parts`."""
        return self.combined

    def describe(self, finding: Finding) -> str:
        """See `Condition.tell`."""
        parts = zip(self.combined, finding.evidence, strict=True)
        return ", ".join(part.describe(found) for part, found in parts)

    def preventing_events(self, finding: Finding, events: str) -> str | None:
        """See `Condition.averts`."""
        parts = zip(self.combined, finding.evidence, strict=True)
        ways = [
            p.preventing_events(found, events) for p, found in parts if found.holds == finding.holds
        ]
        known = list(dict.fromkeys(way for way in ways if way is not None))
        if finding.holds is self.single_part_decides:
            return " or ".join(known) or None
        return " and ".join(known) if known and None not in ways else None

    def __str__(self) -> str:
        first, *others = self.combined
        beginning = _in_parentheses(first) if isinstance(first, Combined) else str(first)
        return f" {self.word} ".join([beginning, *map(_in_parentheses, others)])


@dataclass(frozen=True)
class AllOf(Combined):
    """`all:` of a list, or phrases joined by `and`."""

    combined: tuple[Condition, ...]
    word: ClassVar[str] = "and"
    single_part_decides: ClassVar[bool] = True

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.find`."""
        found = tuple(part.evaluate(situation) for part in self.combined)
        return _together(found, _all([finding.holds for finding in found]))


@dataclass(frozen=True)
class AnyOf(Combined):
    """`any:` of a list, or phrases joined by `or`."""

    combined: tuple[Condition, ...]
    word: ClassVar[str] = "or"
    single_part_decides: ClassVar[bool] = False

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.find`."""
        found = tuple(part.evaluate(situation) for part in self.combined)
        return _together(found, _negated(_all([_negated(finding.holds) for finding in found])))


@dataclass(frozen=True)
class Not(Condition):
    """`not` a phrase; `seen` of its findings is the phrase's finding."""

    negated: Condition

    @property
    def parts(self) -> tuple[Condition, ...]:
        """See `Condition.parts`."""
        return (self.negated,)

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.find`."""
        found = self.negated.evaluate(situation)
        return Finding(_negated(found.holds), found.changes_at, found.awaits_event, found)

    def describe(self, finding: Finding) -> str:
        """See `Condition.tell`."""
        return self.negated.describe(finding.evidence)

    def missing(self, finding: Finding) -> str | None:
        """See `Condition.lacks`."""
        return self.negated.missing(finding.evidence)

    def preventing_events(self, finding: Finding, events: str) -> str | None:
        """See `Condition.averts`."""
        return self.negated.preventing_events(finding.evidence, events)

    def __str__(self) -> str:
        return f"Not {_in_parentheses(self.negated)}"


@dataclass(frozen=True)
class FlagIs(Condition):
    """`flag Usage drop is At Risk`, with `or worse` also any status worse than that.

    `level` is the number of the status, None for N/A.
    """

    flag: str
    status: str
    level: Level = field(compare=False)
    or_worse: bool = False

    @property
    def other_flags(self) -> tuple[str, ...]:
        """See `Condition.other_flags`."""
        return (self.flag,)

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.find`; `seen` is the flag's level."""
        level = situation.flags.level(self.flag, situation.at)
        worse = self.or_worse and level is not None and self.level is not None
        holds = level == self.level or (worse and (level or 0) > (self.level or 0))
        changes_at = situation.flags.next_change(self.flag, situation.at)
        return Finding(holds, changes_at=changes_at, evidence=level)

    def describe(self, finding: Finding) -> str:
        """See `Condition.tell`."""
        state = "is" if finding.holds else "is not"
        return f"flag {self.flag} {state} {self.status}"

    def __str__(self) -> str:
        worse = " or worse" if self.or_worse else ""
        return f"Flag {quote(self.flag)} is {quote(self.status)}{worse}"


def _together(found: tuple[Finding, ...], holds: Truth) -> Finding:
    return Finding(
        holds,
        changes_at=min((f.changes_at for f in found if f.changes_at), default=None),
        awaits_event=any(f.awaits_event for f in found),
        evidence=found,
    )


def _all(truths: Sequence[Truth]) -> Truth:
    if False in truths:
        return False
    return None if None in truths else True


def _negated(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _in_parentheses(part: Condition) -> str:
    """A phrase in the middle of another: all of them begin with a word of the language."""
    phrase = str(part)
    phrase = phrase[0].lower() + phrase[1:]
    return f"({phrase})" if isinstance(part, Combined) else phrase
