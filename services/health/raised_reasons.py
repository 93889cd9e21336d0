"""Why the flags of many companies are raised, in a few words each, for lists of companies.

The flags are those that are recorded as raised; the words are about the present. What they rest on
is read for all companies at once, except for phrases that read every event of a window.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.companies import companies
from models.companies.companies import Company
from models.events import bulk_lookups
from models.events.bulk_lookups import LatestEvents
from rules.book import RuleBook
from rules.durations import BEGINNING
from rules.facts import Path, value_at
from rules.flags import Flag, FlagMemory
from rules.judging.overrides import effective_levels
from rules.judging.state import CompanyState
from rules.phrases.condition import Level, Situation
from rules.wording.reasons import events_to_count, short_reason
from services.health.settlements import company_state, stored_health_of
from services.health.stored_facts import READ_AHEAD, LatestByKey, LatestTimes, StoredFacts
from services.rules.rule_books import RuleBooks

MOST_FLAGS = 3
"""Flags of a company for which reasons are given."""


@dataclass(frozen=True)
class RaisedReason:
    """A raised flag, the status that it raises, and why in a few words."""

    flag: str
    status: str
    text: str


def raised_reasons(
    organization_id: int,
    external_ids: Collection[str],
    version: int,
    at: datetime,
    rulebooks: RuleBooks,
    *,
    most: int = MOST_FLAGS,
) -> dict[str, list[RaisedReason]]:
    """Return why companies have their status: at most `most` raised flags of each, worst first.

    Companies are identified by the client's own ids. The rules are those of `version`, in force
    `at` that instant, the present. If they cannot be read, there are no reasons.
    """
    book = rulebooks.book_if_readable(organization_id, version)
    if book is None or not external_ids:
        return {}
    found = companies.find_all(organization_id, external_ids)
    raised = [
        _RaisedFlags(company, state, _worst_first(book, state, most))
        for company, state in zip(found, _states(organization_id, found, book), strict=True)
    ]
    latest = _read_latest(organization_id, raised)
    return {
        item.company.external_id: list(item.reasons(book, at, latest.get(item.company.id, {})))
        for item in raised
    }


def _states(
    organization_id: int, found: Sequence[Company], book: RuleBook
) -> Iterable[CompanyState]:
    return (company_state(stored, book) for stored in stored_health_of(organization_id, found))


def _worst_first(book: RuleBook, state: CompanyState, most: int) -> Sequence[tuple[Flag, Level]]:
    levels = effective_levels(book, state)
    raised = [(flag, level) for flag in book.flags if (level := levels.get(flag.name))]
    return sorted(raised, key=lambda pair: -(pair[1] or 0))[:most]


@dataclass(frozen=True)
class _RaisedFlags:
    """A company with its raised flags, and the levels that they raise it to."""

    company: Company
    state: CompanyState
    flags: Sequence[tuple[Flag, Level]]

    def reasons(self, book: RuleBook, at: datetime, latest: LatestByKey) -> Iterable[RaisedReason]:
        """Yield the reason of each flag."""
        facts = _CurrentFacts(self.company, latest)
        overridden = {o.flag for o in self.state.overrides if o.started}
        for flag, level in self.flags:
            status = book.status_name(level)
            if flag.name in overridden:
                text: str | None = f"set to {status} by hand"
            else:
                situation = Situation(facts, flag.selector, at, _RecordedFlags(self.state))
                recorded = self.state.flags.get(flag.name)
                memory = recorded.memory if recorded else FlagMemory()
                verdict = flag.evaluate(situation, memory)
                text = short_reason(book, flag, verdict, at, facts)
            yield RaisedReason(flag.name, status, text or flag.name)


def _read_latest(
    organization_id: int, raised: Sequence[_RaisedFlags]
) -> dict[int, dict[str | None, LatestTimes]]:
    """Read the latest events that the reasons count, of all companies at once."""
    selections = list(
        dict.fromkeys(
            LatestEvents(
                item.company.id, flag.selector.event_key, events_to_count(flag) + READ_AHEAD
            )
            for item in raised
            for flag, _ in item.flags
            if flag.events_needed and not flag.selector.where
        )
    )
    found = bulk_lookups.find_times_of_latest(organization_id, selections) if selections else []
    latest: dict[int, dict[str | None, LatestTimes]] = {}
    for selection, times in zip(selections, found, strict=True):
        times_by_key = latest.setdefault(selection.company_id, {})
        times_by_key[selection.event_key] = LatestTimes(BEGINNING, selection.limit, times[::-1])
    return latest


class _CurrentFacts(StoredFacts):
    """Facts of which only the present is asked for: fields are those of the company's row."""

    def __init__(self, company: Company, latest: LatestByKey) -> None:
        super().__init__(
            company.organization_id,
            company.id,
            company.external_id,
            company.first_seen_at,
            latest,
        )
        self._current: Mapping[str, Any] = {**company.traits.custom, **company.traits.core}

    def field(self, path: Path, at: datetime) -> Any:
        """See `Facts.field`."""
        return super().field(path, at) if path == ("id",) else value_at(self._current, path)


@dataclass(frozen=True)
class _RecordedFlags:
    """The recorded levels of a company's flags; see `rules.phrases.condition.OtherFlags`."""

    state: CompanyState

    def level(self, flag: str, _at: datetime) -> Level:
        recorded = self.state.flags.get(flag)
        return recorded.level if recorded else None

    def next_change(self, _flag: str, _after: datetime) -> datetime | None:
        return None
