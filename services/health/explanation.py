"""Explains why a company has its status, judged live by the rules in force."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from models.companies import companies
from models.companies.companies import Company
from models.health import transitions
from models.health.flag_overrides import StoredOverride
from models.health.transitions import StoredTransition
from rules.book import RuleBook
from rules.durations import BEGINNING, MAX_WINDOW, format_duration, format_instant, shift
from rules.facts import Facts
from rules.flags import Flag, Reason, Verdict
from rules.judging.overrides import effective_levels
from rules.judging.review import Review, deciding_phrase, review
from rules.phrases.condition import Condition, Finding
from rules.phrases.fields import format_value
from rules.wording.counted_events import describe_events
from rules.wording.prevention import changed_by, prevented_by
from rules.wording.reasons import short_reason
from services.health.settlements import facts_of, settlements_of, stored_health
from services.rules.rule_books import RuleBooks


@dataclass(frozen=True)
class FlagExplanation:
    """One flag as it is judged, with the reasons.

    `summary` is why, in a few words; see `rules.wording.reasons`. `counts` names the events that
    count. `threshold` is the phrase that decides, in canonical
    form, `evidence` the facts behind it, and `changed_by` which further events would change it.
    `recovers` is the condition under which a raised flag with a `recover` clears. If nothing
    happens, the flag changes at `changes_at` to `changes_to`, and `unless` is what would prevent
    it. `line` is the line of the flag in its version of the rules. `override` is the override in
    force, if there is one.
    """

    flag: str
    status: str
    reason: Reason
    summary: str | None
    counts: str | None
    threshold: str
    evidence: str | None
    recovers: str | None
    changed_by: str | None
    last_event_at: datetime | None
    changes_at: datetime | None
    changes_to: str | None
    unless: str | None
    line: int
    note: str | None
    override: StoredOverride | None


@dataclass(frozen=True)
class Explanation:
    """A company's health as judged now, its flags, and its transitions, oldest first."""

    company: Company
    status: str
    score: int | None
    rules_version: int
    flags: list[FlagExplanation]
    transitions: list[StoredTransition]


def explain(
    organization_id: int,
    company_id: str,
    version: int,
    now: datetime,
    rulebooks: RuleBooks | None = None,
) -> Explanation | None:
    """Explain the company with the client's own id; None if there is none.

    `rulebooks` are cached rule books, to avoid reading the rules again.
    """
    company = companies.find(organization_id, company_id)
    if company is None:
        return None
    rulebooks = rulebooks or RuleBooks()
    stored = stored_health(company)
    book, _, settled = settlements_of(stored, version, rulebooks, now)[-1]
    facts = facts_of(company)
    reviewed = review(book, settled.state, facts, now=now, until=shift(now, MAX_WINDOW))
    flags = [_explain_flag(book, flag, reviewed, facts, now) for flag in book.flags]
    in_force = {o.id: o.flag for o in reviewed.state.overrides if o.started}
    overrides = {in_force[row.id]: row for row in stored.overrides if row.id in in_force}
    return Explanation(
        company,
        reviewed.state.status,
        book.score(effective_levels(book, reviewed.state)),
        version,
        [replace(flag, override=overrides.get(flag.flag)) for flag in flags],
        transitions.list_for_company(company.organization_id, company.id),
    )


def _explain_flag(
    book: RuleBook, flag: Flag, reviewed: Review, facts: Facts, now: datetime
) -> FlagExplanation:
    verdict = reviewed.verdicts[flag.name]
    steps = [step for step in reviewed.changes if step.flag == flag.name and step.is_crossing]
    deciding = deciding_phrase(flag, verdict)
    changed = changed_by(book, flag, *deciding) if deciding else None
    recovery = reviewed.recoveries.get(flag.name)
    if recovery is not None and flag.recover is not None:
        changed = changed_by(book, flag, flag.recover, recovery)
    counts = any(part.counts_events for phrase in flag.phrases for part in phrase)
    last = facts.latest(flag.selector, 1, BEGINNING, now) if counts else ()
    return FlagExplanation(
        flag=flag.name,
        status=book.status_name(verdict.level),
        reason=verdict.reason,
        summary=short_reason(book, flag, verdict, now, facts),
        counts=describe_events(book, flag) if counts else None,
        threshold=str(deciding[0]) if deciding else flag.threshold(verdict.level),
        evidence=_evidence(flag, verdict, deciding, facts, now),
        recovers=str(flag.recover) if recovery is not None else None,
        changed_by=changed,
        last_event_at=last[0] if last else None,
        changes_at=steps[0].at if steps else None,
        changes_to=book.status_name(steps[0].after) if steps else None,
        unless=prevented_by(book, steps[0]) if steps else None,
        line=flag.line,
        note=flag.note,
        override=None,
    )


def _evidence(
    flag: Flag,
    verdict: Verdict,
    deciding: tuple[Condition, Finding] | None,
    facts: Facts,
    now: datetime,
) -> str | None:
    """Return in words the facts that decide a flag."""
    if deciding is not None:
        return deciding[0].describe(deciding[1])
    if verdict.reason is Reason.WAITING:
        since = format_instant(facts.first_seen_at)
        return f"known since {since}, the flag waits {format_duration(flag.wait)}"
    fields = []
    for path, expected in flag.applies_to:
        value = facts.field(path, now)
        actual = "missing" if value is None else format_value(value)
        fields.append(f"company.{'.'.join(path)} is {actual}, not {_alternatives(expected)}")
    return "; ".join(fields)


def _alternatives(values: Sequence[Any]) -> str:
    return " or ".join(format_value(value) for value in values)
