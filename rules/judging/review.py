"""A company's health at an instant, the findings behind it, and its upcoming changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rules.book import RuleBook
from rules.facts import Facts
from rules.flags import Flag, Reason, Verdict
from rules.judging.settlement import settle
from rules.judging.state import CompanyState, FlagChange, FlagState, Transition
from rules.phrases.condition import Condition, Finding, Level, Situation


@dataclass(frozen=True)
class Review:
    """A company at an instant: its state, each flag's verdict, and what time alone will change.

    `recoveries` maps each raised flag with a `recover` to the finding of that phrase. `upcoming`
    are the transitions that happen if nothing else does, in order; `changes` are the changes of the
    flags' own levels, including overridden ones, in order per flag.
    """

    state: CompanyState
    verdicts: Mapping[str, Verdict]
    recoveries: Mapping[str, Finding]
    upcoming: tuple[Transition, ...]
    changes: tuple[FlagChange, ...]


def review(
    book: RuleBook, company: CompanyState, facts: Facts, *, now: datetime, until: datetime
) -> Review:
    """Evaluate a recorded company at `now`, and predict its changes up to `until`.

    `facts` must not contain anything after `now`.
    """
    state = settle(book, company, facts, now=now, unsettled_since=None).state
    settled = _Settled(state.flags)
    verdicts, recoveries = {}, {}
    for flag in book.flags:
        situation = Situation(facts, flag.selector, now, settled)
        verdicts[flag.name] = flag.evaluate(situation, state.flags[flag.name].memory)
        if flag.recover is not None and verdicts[flag.name].level:
            recoveries[flag.name] = flag.recover.evaluate(situation)
    upcoming = settle(book, state, facts, now=until, unsettled_since=None)
    return Review(state, verdicts, recoveries, upcoming.transitions, upcoming.changes)


def deciding_phrase(flag: Flag, verdict: Verdict) -> tuple[Condition, Finding] | None:
    """Return the phrase that decides a flag's level and its finding; None if none was evaluated."""
    if verdict.recovery and flag.recover:
        return flag.recover, verdict.recovery
    levels = list(zip(flag.conditions, verdict.findings, strict=False))
    if not levels:
        return None
    by_level = {level: (condition, finding) for (level, condition), finding in levels}
    missing = [(condition, finding) for (_, condition), finding in levels if finding.holds is None]
    if verdict.reason is Reason.MISSING:
        return missing[-1]
    mildest = flag.conditions[-1][0]
    return by_level[verdict.level if verdict.level in by_level else mildest]


def ended_phrase(flag: Flag, verdict: Verdict) -> tuple[Condition, Finding] | None:
    """Return the phrase by which a flag got better, with its finding.

    It is `recover` if that holds, or else the mildest phrase of a worse level. None if any of these
    still holds, so that something else made the flag better, or if none was evaluated.
    """
    if flag.recover and verdict.recovery and verdict.recovery.holds:
        return flag.recover, verdict.recovery
    worse = [
        (condition, finding)
        for (level, condition), finding in zip(flag.conditions, verdict.findings, strict=False)
        if level > (verdict.level or 0)
    ]
    if not worse or any(finding.holds for _, finding in worse):
        return None
    return worse[-1]


@dataclass(frozen=True)
class _Settled:
    """The recorded flags; see `rules.phrases.condition.OtherFlags`."""

    states: Mapping[str, FlagState]

    def level(self, flag: str, _at: datetime) -> Level:
        return self.states[flag].level

    def next_change(self, flag: str, after: datetime) -> datetime | None:
        due_at = self.states[flag].due_at
        return due_at if due_at and due_at > after else None
