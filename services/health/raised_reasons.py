"""Why the flags of many companies are raised, in a few words each, for lists of companies.

The flags are those that are recorded as raised; the words are about the present. What they rest on
is read for all companies at once.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from models.companies import companies
from models.companies.companies import Company
from rules.book import RuleBook
from rules.facts import Path, value_at
from rules.flags import Flag, FlagMemory
from rules.judging.overrides import effective_levels
from rules.judging.state import CompanyState
from rules.phrases.condition import Level, LevelsOnce, Situation
from rules.wording.reasons import short_reason
from services.health.fact_reads import Ask, ReadsTogether, judge_together
from services.health.settlements import company_state, stored_health_of
from services.health.stored_facts import StoredFacts
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
    reads = ReadsTogether(organization_id)
    raised = []
    for company, state in zip(found, _states(organization_id, found, book), strict=True):
        facts = _CurrentFacts(company, reads.ask)
        raised += [
            _RaisedFlag(company, facts, state, *pair) for pair in _worst_first(book, state, most)
        ]
    texts, beyond = judge_together(
        reads, {place: partial(item.text, book, at) for place, item in enumerate(raised)}
    )
    for place in beyond:
        item = raised[place]
        texts[place] = replace(item, facts=_CurrentFacts(item.company)).text(book, at)
    reasons: dict[str, list[RaisedReason]] = {company.external_id: [] for company in found}
    for place, item in enumerate(raised):
        status = book.status_name(item.level)
        of_company = reasons[item.company.external_id]
        of_company.append(RaisedReason(item.flag.name, status, texts[place]))
    return reasons


def _states(
    organization_id: int, found: Sequence[Company], book: RuleBook
) -> Iterable[CompanyState]:
    return (company_state(stored, book) for stored in stored_health_of(organization_id, found))


def _worst_first(book: RuleBook, state: CompanyState, most: int) -> Sequence[tuple[Flag, Level]]:
    levels = effective_levels(book, state)
    raised = [(flag, level) for flag in book.flags if (level := levels.get(flag.name))]
    return sorted(raised, key=lambda pair: -(pair[1] or 0))[:most]


@dataclass(frozen=True)
class _RaisedFlag:
    """A raised flag of a company, with the level that it raises it to."""

    company: Company
    facts: "_CurrentFacts"
    state: CompanyState
    flag: Flag
    level: Level

    def text(self, book: RuleBook, at: datetime) -> str:
        """Return why the flag is raised, in a few words; else its name."""
        flag = self.flag
        if any(o.flag == flag.name and o.started for o in self.state.overrides):
            return f"set to {book.status_name(self.level)} by hand"
        levels = {name: recorded.level for name, recorded in self.state.flags.items()}
        situation = Situation(self.facts, flag.selector, at, LevelsOnce(levels))
        recorded = self.state.flags.get(flag.name)
        verdict = flag.evaluate(situation, recorded.memory if recorded else FlagMemory())
        return short_reason(book, flag, verdict, at, self.facts) or flag.name


class _CurrentFacts(StoredFacts):
    """Facts of which only the present is asked for: fields are those of the company's row."""

    def __init__(self, company: Company, ask: Ask | None = None) -> None:
        super().__init__(
            company.organization_id,
            company.id,
            company.external_id,
            company.first_seen_at,
            ask=ask,
        )
        self._current: Mapping[str, Any] = {**company.traits.custom, **company.traits.core}

    def field(self, path: Path, at: datetime) -> Any:
        """See `Facts.field`."""
        return super().field(path, at) if path == ("id",) else value_at(self._current, path)
