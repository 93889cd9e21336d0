"""Flags that count otherwise than they are judged: snoozed, or as a status that somebody chose.

An overridden flag is judged and recorded as ever, and other flags that refer to it see what it
comes to. Only how it counts for its company differs, so its own changes are told to nobody. What
it has come to counts from the instant at which the override ends.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rules.book import RuleBook
from rules.judging.state import Cause, CompanyState, EndedOverride, FlagChange, NewRules, Override
from rules.phrases.condition import Level


def effective_levels(book: RuleBook, state: CompanyState) -> dict[str, Level]:
    """The level as which each flag of a settled company counts."""
    levels = {name: flag.level for name, flag in state.flags.items()}
    started = (override for override in state.overrides if override.started)
    return levels | {override.flag: book.level_of(override.status) for override in started}


@dataclass(frozen=True)
class _Span:
    """An override during one settling: the level as which its flag counts, and until when.

    `lacking` is what the rules lack for it to go on, None where they lack nothing.
    """

    override: Override
    level: Level
    until: datetime | None
    lacking: str | None

    def covers(self, at: datetime) -> bool:
        # What comes late from before a start that is recorded changes nothing any more.
        started = self.override.started or self.override.starts_at <= at
        return started and (self.until is None or at < self.until)

    def bounds(self) -> Iterator[tuple[datetime, Cause]]:
        """Its start, unless that is recorded, and its end."""
        if not self.override.started:
            yield self.override.starts_at, Cause.OVERRIDE
        if self.until is not None:
            yield self.until, Cause.RULE_CHANGE if self.lacking else Cause.OVERRIDE


class EffectiveLevels:
    """One settling of a company: turns changes of flags into changes of how they count."""

    def __init__(
        self,
        overrides: Iterable[Override],
        book: RuleBook,
        *,
        now: datetime,
        new_rules: NewRules | None,
    ) -> None:
        self._book = book
        self._now = now
        in_order = sorted(overrides, key=lambda override: (override.starts_at, override.id))
        self._in_order = [_span(override, book, now, new_rules) for override in in_order]
        self._spans: dict[str, list[_Span]] = {}
        for span in self._in_order:
            self._spans.setdefault(span.override.flag, []).append(span)

    def level(self, flag: str, own: Level, at: datetime) -> Level:
        """The level as which a flag with a level of its own counts at an instant."""
        spans = self._spans.get(flag, ())
        return next((span.level for span in spans if span.covers(at)), own)

    def overridden(self, at: datetime) -> frozenset[str]:
        """The flags that count otherwise than they are judged at an instant."""
        return frozenset(span.override.flag for span in self._in_order if span.covers(at))

    def levels_before(self, own: Mapping[str, Level]) -> dict[str, Level]:
        """As which level each flag counts by what is recorded."""
        started = (span for span in self._in_order if span.override.started)
        return {**own} | {span.override.flag: span.level for span in started}

    def count(self, own: Mapping[str, Level], changes: Sequence[FlagChange]) -> list[FlagChange]:
        """The changes of how flags count, by their levels at first and their own changes."""
        if not self._spans:
            return list(changes)
        pluralize = [change for change in changes if change.flag not in self._spans]
        before = self.levels_before(own)
        for flag in self._spans:
            steps = [change for change in changes if change.flag == flag]
            pluralize += self._count_flag(flag, own.get(flag), before.get(flag), steps)
        # As flags are judged, those that the rules no longer have before all others.
        order = {flag.name: number for number, flag in enumerate(self._book.in_dependency_order)}
        return sorted(pluralize, key=lambda change: order.get(change.flag, -1))

    def _count_flag(
        self, flag: str, own: Level, before: Level, steps: Sequence[FlagChange]
    ) -> Iterator[FlagChange]:
        causes: dict[datetime, list[Cause]] = {}
        for at, cause in (bound for span in self._spans[flag] for bound in span.bounds()):
            if at <= self._now:
                causes.setdefault(at, []).append(cause)
        for step in steps:
            causes.setdefault(step.at, []).append(step.cause)
        for at in sorted(causes):
            own = next((step.after for step in reversed(steps) if step.at <= at), own)
            after = self.level(flag, own, at)
            if after != before:
                cause = max(causes[at], key=list(Cause).index)
                judged = next((step.verdict for step in steps if step.at == at), None)
                yield FlagChange(at, flag, before, after, cause, judged)
                before = after

    @property
    def ended(self) -> tuple[EndedOverride, ...]:
        """The overrides that are over by now."""
        return tuple(
            EndedOverride(span.override, span.until, span.lacking)
            for span in self._in_order
            if span.until is not None and span.until <= self._now
        )

    @property
    def left(self) -> tuple[Override, ...]:
        """The others, each with whether it has begun."""
        return tuple(
            replace(one := span.override, started=one.started or one.starts_at <= self._now)
            for span in self._in_order
            if span.until is None or span.until > self._now
        )


def _span(override: Override, book: RuleBook, now: datetime, new_rules: NewRules | None) -> _Span:
    level = book.level_of(override.status)
    lacking = _lacking(override, book)
    ends_at = override.ends_at
    if lacking is None or (not override.started and override.starts_at > now):
        return _Span(override, level, ends_at, None)
    cut = override.starts_at
    if override.started:
        cut = max(cut, new_rules.since if new_rules else now)
    if ends_at is not None and ends_at <= cut:
        return _Span(override, level, ends_at, None)
    if new_rules is not None and override.status not in (None, *book.statuses):
        previous = new_rules.previous.level_of(override.status) or 0
        level = min(previous, len(book.statuses) - 1)
    return _Span(override, level, cut, lacking)


def _lacking(override: Override, book: RuleBook) -> str | None:
    """What a book lacks for an override to be in force."""
    if override.flag not in book.flags_by_name:
        return f"the flag {override.flag}"
    if override.status is not None and override.status not in book.statuses:
        return f"the status {override.status}"
    return None
