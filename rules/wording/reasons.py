"""Why a flag is raised, in three to six words: `reports fell from 17 to 6`, `renews in 36 days`.

A reason states a fact about the company rather than the phrase of the rule. Of a phrase that
combines others, it states the most telling of the facts that decide it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rules.book import RuleBook
from rules.durations import BEGINNING, format_duration, shift
from rules.facts import USER, Facts
from rules.flags import Flag, Verdict
from rules.judging.review import deciding_phrase
from rules.phrases.amounts import Amount, Change, Measure
from rules.phrases.condition import Condition, Finding, format_number
from rules.phrases.counting import Absence, Count, Never
from rules.phrases.distinct import Distinct, Share
from rules.phrases.fields import (
    FieldCompared,
    FieldCondition,
    FieldIs,
    FieldMissing,
    FieldWithin,
    as_instant,
)
from rules.phrases.logic import AnyOf, Combined, FlagIs, Not
from rules.wording.event_words import EventWords, event_words
from rules.wording.names import field_words, is_plural, plain_name, plural_noun, singular_noun
from rules.wording.quantities import date_distance, duration_words, value_words

MOST_COUNTED = 99
"""Events beyond these are shown as `99+`."""

_MOST_TELLING_FIRST: tuple[type[Condition], ...] = (
    Change,
    Absence,
    Never,
    Share,
    Count,
    Distinct,
    Amount,
    FieldWithin,
    FieldCompared,
    FieldMissing,
    FieldIs,
    FlagIs,
)


def short_reason(
    book: RuleBook, flag: Flag, verdict: Verdict, at: datetime, facts: Facts | None = None
) -> str | None:
    """Return why a flag has its level at an instant; None if none of its phrases was evaluated.

    With `facts`, the reason states how many events there really are and for how long there was
    none, beyond the number or the time that the phrase asks for.
    """
    deciding = deciding_phrase(flag, verdict)
    if deciding is None:
        return None
    return describe(book, flag, *deciding, at, facts)


def describe(
    book: RuleBook,
    flag: Flag,
    condition: Condition,
    finding: Finding,
    at: datetime,
    facts: Facts | None = None,
) -> str:
    """Describe the fact behind the finding of a condition of a flag."""
    telling = min(
        _decisive(condition, finding), key=lambda pair: _MOST_TELLING_FIRST.index(type(pair[0]))
    )
    return _Reason(book, flag, at, facts).of(*telling)


def _decisive(condition: Condition, finding: Finding) -> Iterator[tuple[Condition, Finding]]:
    """Yield the phrases that decide a finding, with what was found for each."""
    match condition:
        case Not():
            yield from _decisive(condition.negated, finding.evidence)
        case Combined():
            # `and` is true by all of its parts, but false by the false ones alone.
            by_all = finding.holds is not isinstance(condition, AnyOf)
            for operand, found in zip(condition.operands, finding.evidence, strict=True):
                if (by_all and finding.holds is not None) or found.holds is finding.holds:
                    yield from _decisive(operand, found)
        case _:
            yield condition, finding


@dataclass(frozen=True)
class _Reason:
    """Words the facts of one flag at one instant."""

    book: RuleBook
    flag: Flag
    at: datetime
    facts: Facts | None

    @property
    def _events(self) -> EventWords:
        return event_words(self.book, self.flag)

    def of(self, condition: Condition, finding: Finding) -> str:
        """Return the reason for a phrase that is not combined."""
        if finding.holds is None:
            return self._not_evaluated(condition, finding.evidence)
        match condition:
            case Count():
                return self._count(condition, finding)
            case Absence():
                return self._absence(condition, finding)
            case Never():
                return self._never(condition, finding)
            case Distinct():
                return self._distinct(condition, finding)
            case Share():
                return self._share(condition, finding)
        return self._measured(condition, finding)

    def _measured(self, condition: Condition, finding: Finding) -> str:
        """Return the reason for a phrase about amounts, changes, fields or other flags."""
        match condition:
            case Amount():
                return self._amount(condition, finding)
            case Change():
                return self._change(condition, finding)
            case FieldWithin():
                return self._within(condition, finding)
            case FieldCondition():
                return self._field(condition, finding)
            case FlagIs():
                return self._flag_is(condition, finding)
        raise TypeError(condition)

    def _not_evaluated(self, condition: Condition, value: Any) -> str:
        match condition:
            case Change():
                return f"too few {self._events.many} to compare"
            case Amount() if not value.has_events:
                return self._none(condition.window)
            case Amount():
                return f"no {field_words(condition.of[-1])} in {_window(condition.window)}"
            case FieldCondition() if value is not None:
                return f"{field_words(condition.field)} is not {_kind_of(condition)}"
            case FieldCondition():
                return f"{_is(field_words(condition.field))} missing"
            case Never():
                return f"{field_words(condition.field)} is no date"
            case Share():
                return f"{_is(field_words(condition.field))} not known"
        raise TypeError(condition)

    def _count(self, count: Count, finding: Finding) -> str:
        return self._number_of_events(
            finding.evidence, count.depth, count.window, few=_is_few(count, finding)
        )

    def _number_of_events(self, number: int, depth: int, window: timedelta, *, few: bool) -> str:
        events, within = self._events, f"in {_window(window)}"
        if not few:
            counted = self._all_events(number, window) if number >= depth else number
            return f"{events.count(counted)} {within}"
        if number == 0:
            return self._none(window)
        return f"{'' if events.specific else 'only '}{events.count(number)} {within}"

    def _all_events(self, at_least: int, window: timedelta) -> int | str:
        """Count the events of a window beyond those that the phrase has counted."""
        if self.facts is None or at_least > MOST_COUNTED:
            return f"{at_least}+"
        since = shift(self.at, -window)
        number = len(self.facts.latest(self.flag.selector, MOST_COUNTED + 1, since, self.at))
        return number if number <= MOST_COUNTED else f"{MOST_COUNTED}+"

    def _none(self, window: timedelta) -> str:
        """Return that there is no event in a window, and since the last one, for how long.

        Without the facts, it is not known whether there ever was one.
        """
        if self.facts is None:
            return f"{self._events.count('no')} in {_window(window)}"
        last = self.facts.latest(self.flag.selector, 1, BEGINNING, self.at)
        if not last:
            return f"{self._events.none} so far"
        return f"{self._events.none} for {duration_words(self.at - last[0])}"

    def _absence(self, absence: Absence, finding: Finding) -> str:
        if finding.holds:
            return self._none(absence.window)
        return self._number_of_events(1, 1, absence.window, few=False)

    def _never(self, never: Never, finding: Finding) -> str:
        done, deadline = finding.evidence
        if done:
            return f"{self._events.many} within {_window(never.window)}"
        if self.at < deadline:
            return f"{self._events.none} so far"
        return f"{self._events.none} within {_window(never.window)}"

    def _distinct(self, distinct: Distinct, finding: Finding) -> str:
        noun = "user" if distinct.of == USER else field_words(distinct.of[-1])
        few, number = _is_few(distinct, finding), finding.evidence
        if few and number == 0:
            return f"no {plural_noun(noun)} in {_window(distinct.window)}"
        counted = f"{number}+" if number >= distinct.depth else str(number)
        nouns = singular_noun(noun) if counted == "1" else plural_noun(noun)
        return f"{'only ' if few else ''}{counted} {nouns} in {_window(distinct.window)}"

    def _share(self, share: Share, finding: Finding) -> str:
        users, depth, whole = finding.evidence
        few = share.bound.is_upper_bound is finding.holds
        noun = field_words(share.field.rsplit(".", 1)[-1])
        counted = f"{users}+" if users >= depth and not few else str(users)
        return (
            f"{'only ' if few and users else ''}{counted} of {value_words(whole)}"
            f" {noun if is_plural(noun) else 'users'} active"
        )

    def _amount(self, amount: Amount, finding: Finding) -> str:
        measured = finding.evidence
        if not measured.has_events:
            return self._none(amount.window)
        label = field_words(amount.of[-1])
        if amount.measure is Measure.SUM:
            label = f"total {label}"
        else:
            label = f"{str(amount.measure).lower()} {label}"
        return f"{_is(label)} {value_words(measured.value)}"

    def _change(self, change: Change, finding: Finding) -> str:
        before, now = finding.evidence
        subject = self._events.trend
        if before == now:
            return f"{subject} stayed at {now:,}"
        if not finding.holds and (now > before) is change.upwards:
            verb = "rose" if change.upwards else "fell"
            return f"{subject} {verb} by less than {format_number(change.percent)}%"
        return f"{subject} {'fell' if now < before else 'rose'} from {before:,} to {now:,}"

    def _field(self, condition: FieldCondition, finding: Finding) -> str:
        label = field_words(condition.field)
        if finding.evidence is None:
            return f"{_is(label)} missing"
        return f"{_is(label)} {value_words(finding.evidence)}"

    def _within(self, within: FieldWithin, finding: Finding) -> str:
        date = as_instant(finding.evidence)
        renewal = self.book.team.renewal
        is_renewal = renewal is not None and ".".join(renewal) == within.field
        label = "renewal" if is_renewal else field_words(within.field)
        return date_distance(label, date or self.at, self.at)

    def _flag_is(self, condition: FlagIs, finding: Finding) -> str:
        status = plain_name(self.book.status_name(finding.evidence))
        return f"{plain_name(condition.flag) or 'another flag'} is {status}"


def _is_few(condition: Count | Distinct, finding: Finding) -> bool:
    """Whether the finding is that there are few, rather than many."""
    return condition.comparison.is_upper_bound is finding.holds


def _is(label: str) -> str:
    return f"{label} {'are' if is_plural(label) else 'is'}"


def _kind_of(condition: FieldCondition) -> str:
    return condition.expected_kind.split(" such")[0]


def _window(window: timedelta) -> str:
    return format_duration(window)
