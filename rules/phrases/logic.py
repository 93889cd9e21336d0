"""Phrases that combine phrases with `and`, `or` and `not`, and phrases about other flags.

A part that cannot be evaluated matters only if it could decide the result: `and` is false if any
part is false, `or` is true if any part is true (Kleene's three-valued logic).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rules.phrases.condition import Condition, Finding, Level, Situation, Truth
from rules.phrases.fields import quote


class Combined(Condition):
    """Several phrases combined; `evidence` of a finding is the findings of the operands."""

    operands: tuple[Condition, ...]
    operator: ClassVar[str]
    single_operand_flips: ClassVar[bool]
    """The result that a change of any single operand can flip: true for `and`, false for `or`."""

    @property
    def parts(self) -> tuple[Condition, ...]:
        """See `Condition.parts`."""
        return self.operands

    def describe(self, finding: Finding) -> str:
        """See `Condition.describe`."""
        pairs = zip(self.operands, finding.evidence, strict=True)
        return ", ".join(operand.describe(evidence) for operand, evidence in pairs)

    def __str__(self) -> str:
        first, *others = self.operands
        beginning = _parenthesize(first) if isinstance(first, Combined) else str(first)
        return f" {self.operator} ".join([beginning, *map(_parenthesize, others)])


@dataclass(frozen=True)
class AllOf(Combined):
    """`all:` of a list, or phrases joined by `and`."""

    operands: tuple[Condition, ...]
    operator: ClassVar[str] = "and"
    single_operand_flips: ClassVar[bool] = True

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`."""
        findings = tuple(operand.evaluate(situation) for operand in self.operands)
        return _combine(findings, _conjunction([finding.holds for finding in findings]))


@dataclass(frozen=True)
class AnyOf(Combined):
    """`any:` of a list, or phrases joined by `or`."""

    operands: tuple[Condition, ...]
    operator: ClassVar[str] = "or"
    single_operand_flips: ClassVar[bool] = False

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`."""
        findings = tuple(operand.evaluate(situation) for operand in self.operands)
        none_holds = _conjunction([_negation(finding.holds) for finding in findings])
        return _combine(findings, _negation(none_holds))


@dataclass(frozen=True)
class Not(Condition):
    """The negation of a phrase; `evidence` of a finding is the finding of that phrase."""

    negated: Condition

    @property
    def parts(self) -> tuple[Condition, ...]:
        """See `Condition.parts`."""
        return (self.negated,)

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`."""
        finding = self.negated.evaluate(situation)
        return Finding(_negation(finding.holds), finding.changes_at, finding.awaits_event, finding)

    def describe(self, finding: Finding) -> str:
        """See `Condition.describe`."""
        return self.negated.describe(finding.evidence)

    def __str__(self) -> str:
        return f"Not {_parenthesize(self.negated)}"


@dataclass(frozen=True)
class FlagIs(Condition):
    """`flag Usage drop is At Risk`; `or worse` also accepts any worse status.

    `level` is the level of the status, None for N/A.
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
        """See `Condition.evaluate`; `evidence` is the flag's level."""
        level = situation.flags.level(self.flag, situation.at)
        worse = self.or_worse and level is not None and self.level is not None
        holds = level == self.level or (worse and (level or 0) > (self.level or 0))
        changes_at = situation.flags.next_change(self.flag, situation.at)
        return Finding(holds, changes_at=changes_at, evidence=level)

    def describe(self, finding: Finding) -> str:
        """See `Condition.describe`."""
        state = "is" if finding.holds else "is not"
        return f"flag {self.flag} {state} {self.status}"

    def __str__(self) -> str:
        worse = " or worse" if self.or_worse else ""
        return f"Flag {quote(self.flag)} is {quote(self.status)}{worse}"


def _combine(findings: tuple[Finding, ...], holds: Truth) -> Finding:
    return Finding(
        holds,
        changes_at=min((f.changes_at for f in findings if f.changes_at), default=None),
        awaits_event=any(f.awaits_event for f in findings),
        evidence=findings,
    )


def _conjunction(truths: Sequence[Truth]) -> Truth:
    if False in truths:
        return False
    return None if None in truths else True


def _negation(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _parenthesize(part: Condition) -> str:
    """Return a nested phrase: its first letter is lowered, since phrases begin with a keyword."""
    phrase = str(part)
    phrase = phrase[0].lower() + phrase[1:]
    return f"({phrase})" if isinstance(part, Combined) else phrase
