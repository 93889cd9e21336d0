"""Which events would prevent a flag's change that time alone is about to cause, or change it now.

They are in plain English, to follow "unless" or "if": `one more report is created`, `the total
amount grows by 6`.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from rules.book import RuleBook
from rules.facts import USER
from rules.flags import Flag, Verdict
from rules.judging.state import Cause, FlagChange
from rules.phrases.amounts import Amount, Measure, Measured
from rules.phrases.condition import Bound, Condition, Finding
from rules.phrases.counting import Absence, Count, Never
from rules.phrases.distinct import Distinct, Share
from rules.phrases.logic import Combined, Not
from rules.wording.counted_events import filters_in_words
from rules.wording.event_words import ANY_EVENT, EventWords, event_words
from rules.wording.names import field_words, plural_noun, singular_noun
from rules.wording.quantities import value_words

_CENT = Decimal("0.01")
_LONGEST_NUMBER = Decimal(10) ** 15


def prevented_by(book: RuleBook, change: FlagChange) -> str | None:
    """Return what would prevent a change, such as `2 more reports are created`.

    Return None if no event can prevent it, or if time is not its cause.
    """
    flag = book.flags_by_name.get(change.flag)
    if flag is None or change.verdict is None or change.cause is not Cause.TIME:
        return None
    decided = _decided_by(flag, change, change.verdict)
    return _Prevention(flag, event_words(book, flag)).of(*decided) if decided else None


def changed_by(book: RuleBook, flag: Flag, condition: Condition, finding: Finding) -> str | None:
    """Return what would change a finding of a flag, such as `2 more reports are created`.

    Return None if no event can.
    """
    return _Prevention(flag, event_words(book, flag), is_over=True).of(condition, finding)


def _decided_by(
    flag: Flag, change: FlagChange, verdict: Verdict
) -> tuple[Condition, Finding] | None:
    """Return the phrase that changed, that of the worse level, and its finding at the change."""
    if verdict.recovery is not None and flag.recover is not None:
        return flag.recover, verdict.recovery
    worse = max(change.before or 0, change.after or 0)
    phrases = zip(flag.conditions, verdict.findings, strict=False)
    by_level = {level: (phrase, finding) for (level, phrase), finding in phrases}
    return by_level.get(worse)


@dataclass(frozen=True)
class _Prevention:
    """Words what prevents the findings of a flag; deadlines of findings of the present are over."""

    flag: Flag
    events: EventWords
    is_over: bool = False

    def of(self, condition: Condition, finding: Finding) -> str | None:
        """Return the events that would have prevented a finding; None if none could."""
        match condition:
            case Not():
                return self.of(condition.negated, finding.evidence)
            case Combined():
                return self._combined(condition, finding)
            case Count():
                return self._more(condition.depth - finding.evidence)
            case Absence():
                return self._more(1 - finding.evidence)
            case Never() if finding.holds and not self.is_over:
                return f"{self._more(1)} by then"
            case Distinct():
                return self._distinct(condition, condition.depth - finding.evidence)
            case Share() if finding.evidence:
                users, depth, _ = finding.evidence
                return self._users(depth - users)
            case Amount(measure=Measure.SUM) if finding.holds is condition.bound.is_upper_bound:
                return self._grows(condition, finding.evidence)
        return None

    def _combined(self, combined: Combined, finding: Finding) -> str | None:
        pairs = zip(combined.operands, finding.evidence, strict=True)
        ways = [
            self.of(operand, evidence)
            for operand, evidence in pairs
            if evidence.holds == finding.holds
        ]
        possible = list(dict.fromkeys(way for way in ways if way is not None))
        if finding.holds is combined.single_operand_flips:
            return " or ".join(possible) or None
        return " and ".join(possible) if possible and None not in ways else None

    def _more(self, missing: int) -> str | None:
        return self._filtered(self.events.occur(missing)) if missing > 0 else None

    def _filtered(self, sentence: str) -> str:
        return f"{sentence} {filters_in_words(self.flag)}".rstrip()

    def _distinct(self, distinct: Distinct, missing: int) -> str | None:
        if distinct.of == USER:
            return self._users(missing)
        if missing <= 0:
            return None
        noun = field_words(distinct.of[-1])
        number = _more_nouns(missing, singular_noun(noun), plural_noun(noun))
        return self._filtered(f"{self.events.some_occur} with {number}")

    def _users(self, missing: int) -> str | None:
        if missing <= 0:
            return None
        number = _more_nouns(missing, "user", "users")
        if self.events == ANY_EVENT:
            return self._filtered(f"{number} {'is' if missing == 1 else 'are'} active")
        return self._filtered(f"{self.events.some_occur} by {number}")

    def _grows(self, amount: Amount, measured: Measured) -> str:
        label = f"total {field_words(amount.of[-1])}"
        missing = amount.limit - (measured.value or 0)
        needs_more = amount.bound in (Bound.AT_MOST, Bound.ABOVE)
        if needs_more and not missing:
            return self._filtered(f"the {label} grows")
        if abs(missing) < _LONGEST_NUMBER:
            missing = max(missing.quantize(_CENT, ROUND_CEILING), _CENT)
        number = value_words(missing)
        if measured.has_events:
            more_than = "more than " if needs_more else ""
            return self._filtered(f"the {label} grows by {more_than}{number}")
        at_least = "more than" if needs_more else "at least"
        return self._filtered(f"{self.events.some_occur} with a {label} of {at_least} {number}")


def _more_nouns(number: int, one: str, many: str) -> str:
    return f"one more {one}" if number == 1 else f"{number:,} more {many}"
