"""Rewrites the history of companies after events of the past were imported.

The history of such a company becomes what judging would have recorded all along, with each event
counted at its own time: before the company's first event arrived, by the rules that were in force
at its arrival; from then on, by each version of the rules for the time it was in force. Overrides
take part as they did.

Transitions up to the import are history: their cause is `import`, and no webhook is sent for them.
Those that are the same as before stay as they are, up to the first one that differs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile

from models.companies.companies import Company
from models.events import events
from models.health import flag_overrides, flag_states, replaced_transitions, transitions
from models.health.flag_overrides import StoredOverride
from models.health.transitions import StoredTransition
from models.organizations import rule_versions
from rules.book import RuleBook
from rules.durations import BEGINNING
from rules.facts import Facts
from rules.judging.state import Settlement, Transition
from services.health.judged import JudgedCompany
from services.health.recorded_overrides import save_overrides
from services.health.settlements import StoredHealth, settlements_of
from services.health.transitions import TransitionRecorder, stored_transition
from services.rules.backtest import ReplayPeriod, facts_in_memory
from services.rules.rule_books import RuleBooks

QUIET = timedelta(seconds=3)
"""A history is rewritten when no event of the past has arrived for so long."""

LONGEST_POSTPONED = timedelta(minutes=1)
"""Or when the first of them has waited for so long."""

REWRITTEN_AT_ONCE = 20
"""The most companies whose histories one transaction rewrites: a year of one takes about 50 ms."""


def may_be_rewritten(company: Company, until: datetime) -> bool:
    """Whether it is time to rewrite a company's history, with all events up to `until` stored.

    Not while more events of the past are arriving, since half of a history shows changes that never
    were; and not while earlier accepted events wait to be stored.
    """
    if company.history_until is None or until < company.history_until:
        return False
    first = company.unsettled_since or company.history_until
    return until >= min(company.history_until + QUIET, first + LONGEST_POSTPONED)


def rewrite_histories(
    organization_id: int,
    locked: Mapping[datetime, Sequence[Company]],
    rulebooks: RuleBooks,
    recorder: TransitionRecorder,
    now: datetime,
) -> list[JudgedCompany]:
    """Rewrite the histories of locked companies, each up to the instant it is listed by.

    The transitions go to `recorder`, the judged companies are returned; both are to be saved.

    Raises:
        RulesUnreadable: rules that were in force at some time cannot be read by this release.
    """
    companies = [company for group in locked.values() for company in group]
    if not companies:
        return []
    ids = [company.id for company in companies]
    recorded = transitions.list_for_companies(organization_id, ids)
    flags = flag_states.list_for_companies(organization_id, ids)
    overrides = flag_overrides.list_all(organization_id, ids)
    judged: list[JudgedCompany] = []
    replaced: dict[int, int] = {}
    pasts = [
        past
        for until, group in locked.items()
        for past in judge_pasts(organization_id, group, overrides, rulebooks, until)
    ]
    for past in pasts:
        company, before = past.company, recorded[past.company.id]
        same = _number_of_same(past, before, now)
        if same < len(before):
            replaced[company.id] = before[same].sequence
        for book, version, transition in past.transitions[same:]:
            if company.history_until is not None and transition.at <= company.history_until:
                recorder.record_imported(company, transition, book, version, now)
            else:
                recorder.record(company, transition, book, version, now)
        company.previous_status = past.previous_status
        company.judged_version = past.settlements[-1][1]
        company.history_until = None
        judged.append(
            JudgedCompany(company, past.settlements, flags[company.id], is_rewritten=True)
        )
        still_open = [row for row in overrides.get(company.id, ()) if not row.end_recorded]
        save_overrides(still_open, past.settlements)
    replaced_transitions.remove(organization_id, replaced)
    return judged


@dataclass(frozen=True)
class JudgedPast:
    """A company, and its settlements from its first event on, by each version of the rules."""

    company: Company
    settlements: Sequence[tuple[RuleBook, int, Settlement]]

    @property
    def transitions(self) -> list[tuple[RuleBook, int, Transition]]:
        """All transitions in order, with the rules by which each was judged."""
        return [
            (book, version, transition)
            for book, version, settlement in self.settlements
            for transition in settlement.transitions
        ]

    @property
    def previous_status(self) -> str | None:
        """The status before the latest change of status; None if it never changed."""
        latest_first = reversed(self.transitions)
        return next((t.before for *_, t in latest_first if t.before != t.after), None)


def judge_pasts(
    organization_id: int,
    companies: Sequence[Company],
    overrides: Mapping[int, Sequence[StoredOverride]],
    rulebooks: RuleBooks,
    until: datetime,
) -> list[JudgedPast]:
    """Judge companies of an organization from their first events on, up to an instant.

    Nothing is written. All of their events are read at once: a year has thousands of instants at
    which something may change.
    """
    ids = [company.id for company in companies]
    versions = rule_versions.list_after(organization_id, 0)
    books = [rulebooks.book(organization_id, version.version) for version in versions]
    arrivals = events.find_first_arrivals(organization_id, ids)
    read = facts_in_memory(organization_id, ids, books, ReplayPeriod(BEGINNING, until))
    facts: dict[int, Facts] = {company.id: of_company for company, of_company in read}
    current = versions[-1].version if versions else 0
    pasts = []
    for company in companies:
        first = arrivals.get(company.id, company.history_until or until)
        in_force = takewhile(lambda version: version.applied_at <= first, versions)  # noqa: B023
        first_version = max((version.version for version in in_force), default=0)
        unjudged = replace(
            company,
            health_status=rulebooks.book(organization_id, first_version).statuses[0],
            changed_at=None,
            recorded_until=None,
            judged_version=first_version,
            unsettled_since=company.first_seen_at,
        )
        stored = StoredHealth(unjudged, [], [_as_made(o) for o in overrides.get(company.id, ())])
        settlements = settlements_of(stored, current, rulebooks, until, facts[company.id])
        pasts.append(JudgedPast(company, settlements))
    return pasts


def _as_made(override: StoredOverride) -> StoredOverride:
    """Return an override as it was when nothing of it was recorded; rules end it once more."""
    ended_at = None if override.ended_by == "rules" else override.ended_at
    return replace(override, start_recorded=False, end_recorded=False, ended_at=ended_at)


def _number_of_same(past: JudgedPast, recorded: Sequence[StoredTransition], now: datetime) -> int:
    """Return how many of a company's recorded transitions, from the first one on, are right."""
    same = takewhile(
        lambda pair: _is_same(past.company, pair[0], pair[1], now),
        zip(past.transitions, recorded, strict=False),
    )
    return sum(1 for _ in same)


def _is_same(
    company: Company,
    judged: tuple[RuleBook, int, Transition],
    recorded: StoredTransition,
    now: datetime,
) -> bool:
    book, version, transition = judged
    row = stored_transition(company, transition, book, version, now, recorded.id)
    return _without_reasons(recorded) == _without_reasons(
        replace(
            row, sequence=recorded.sequence, cause=recorded.cause, recorded_at=recorded.recorded_at
        )
    )


def _without_reasons(transition: StoredTransition) -> StoredTransition:
    """Return a transition without the words that explain it: rows of older releases have none."""
    changes = [
        {name: value for name, value in change.items() if name != "reason"}
        for change in transition.changes
    ]
    return replace(transition, changes=changes)
