"""Overrides: for some time, a flag is snoozed, or set to a status that a person chose.

An overridden flag is still evaluated and recorded, and other flags that refer to it see its own
level. Only its effective level, the one that counts for the company, differs, so its own changes
are not announced. Its own level takes effect again at the instant at which the override ends.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rules.book import RuleBook
from rules.judging.state import (
    Cause,
    CompanyState,
    EndedOverride,
    FlagChange,
    NewRules,
    Override,
    dominant_cause,
)
from rules.phrases.condition import Level


def effective_levels(book: RuleBook, state: CompanyState) -> dict[str, Level]:
    """Return the effective level of each flag of a settled company."""
    levels = {name: flag.level for name, flag in state.flags.items()}
    started = (override for override in state.overrides if override.started)
    return levels | {override.flag: book.level_of(override.status) for override in started}


@dataclass(frozen=True)
class _Span:
    """An override during one settlement: its flag's effective level, and until when.

    `missing` is what the rules no longer have, if that ends the override.
    """

    override: Override
    level: Level
    until: datetime | None
    missing: str | None

    def covers(self, at: datetime) -> bool:
        # Once the start is recorded, late events from before it change nothing.
        started = self.override.started or self.override.starts_at <= at
        return started and (self.until is None or at < self.until)

    def bounds(self) -> Iterator[tuple[datetime, Cause]]:
        """Yield its start, unless already recorded, and its end."""
        if not self.override.started:
            yield self.override.starts_at, Cause.OVERRIDE
        if self.until is not None:
            yield self.until, Cause.RULE_CHANGE if self.missing else Cause.OVERRIDE


class EffectiveLevels:
    """Turns the flags' own changes in one settlement into changes of their effective levels."""

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
        """Return a flag's effective level at an instant; `own` is its own level then."""
        spans = self._spans.get(flag, ())
        return next((span.level for span in spans if span.covers(at)), own)

    def overridden(self, at: datetime) -> frozenset[str]:
        """Return the flags that are overridden at an instant."""
        return frozenset(span.override.flag for span in self._in_order if span.covers(at))

    def levels_before(self, own: Mapping[str, Level]) -> dict[str, Level]:
        """Return the recorded effective level of each flag."""
        started = (span for span in self._in_order if span.override.started)
        return {**own} | {span.override.flag: span.level for span in started}

    def effective_changes(
        self, own: Mapping[str, Level], changes: Sequence[FlagChange]
    ) -> list[FlagChange]:
        """Return the changes of effective levels; `own` are the own levels before `changes`."""
        if not self._spans:
            return list(changes)
        effective = [change for change in changes if change.flag not in self._spans]
        before = self.levels_before(own)
        for flag in self._spans:
            steps = [change for change in changes if change.flag == flag]
            effective += self._effective_changes_of(flag, own.get(flag), before.get(flag), steps)
        # In the order of evaluation; flags that the rules no longer have come first.
        order = {flag.name: number for number, flag in enumerate(self._book.in_dependency_order)}
        return sorted(effective, key=lambda change: order.get(change.flag, -1))

    def _effective_changes_of(
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
                cause = dominant_cause(causes[at])
                verdict = next((step.verdict for step in steps if step.at == at), None)
                yield FlagChange(at, flag, before, after, cause, verdict)
                before = after

    @property
    def ended(self) -> tuple[EndedOverride, ...]:
        """The overrides that have ended by now."""
        return tuple(
            EndedOverride(span.override, span.until, span.missing)
            for span in self._in_order
            if span.until is not None and span.until <= self._now
        )

    @property
    def remaining(self) -> tuple[Override, ...]:
        """The overrides that have not ended, each with whether it has started."""
        return tuple(
            replace(
                override := span.override,
                started=override.started or override.starts_at <= self._now,
            )
            for span in self._in_order
            if span.until is None or span.until > self._now
        )


def _span(override: Override, book: RuleBook, now: datetime, new_rules: NewRules | None) -> _Span:
    level = book.level_of(override.status)
    missing = _missing_from(override, book)
    ends_at = override.ends_at
    if missing is None or (not override.started and override.starts_at > now):
        return _Span(override, level, ends_at, None)
    cut_off_at = override.starts_at
    if override.started:
        cut_off_at = max(cut_off_at, new_rules.since if new_rules else now)
    if ends_at is not None and ends_at <= cut_off_at:
        return _Span(override, level, ends_at, None)
    if new_rules is not None and override.status not in (None, *book.statuses):
        previous_level = new_rules.previous.level_of(override.status) or 0
        level = min(previous_level, len(book.statuses) - 1)
    return _Span(override, level, cut_off_at, missing)


def _missing_from(override: Override, book: RuleBook) -> str | None:
    """Return what a book is missing for an override to be in force."""
    if override.flag not in book.flags_by_name:
        return f"the flag {override.flag}"
    if override.status is not None and override.status not in book.statuses:
        return f"the status {override.status}"
    return None
