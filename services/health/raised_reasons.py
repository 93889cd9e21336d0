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


def raised_reasons(
    organization_id: int,
    flags: Mapping[str, Collection[str]],
    version: int,
    at: datetime,
    rulebooks: RuleBooks,
) -> dict[str, dict[str, str]]:
    """Return why flags of companies are raised, in a few words, by company and flag.

    `flags` are the names of those that are asked for, by company; those that are not raised have no
    reason. Companies are identified by the client's own ids. The rules are those of `version`, in
    force `at` that instant, the present. If they cannot be read, there are no reasons.
    """
    book = rulebooks.book_if_readable(organization_id, version)
    if book is None or not flags:
        return {}
    found = companies.find_all(organization_id, flags)
    reads = ReadsTogether(organization_id)
    raised = []
    for company, state in zip(found, _states(organization_id, found, book), strict=True):
        facts, levels = _CurrentFacts(company, reads.ask), effective_levels(book, state)
        raised += [
            _RaisedFlag(company, facts, state, flag, level)
            for flag in book.flags
            if flag.name in flags[company.external_id] and (level := levels.get(flag.name))
        ]
    texts, beyond = judge_together(
        reads, {place: partial(item.text, book, at) for place, item in enumerate(raised)}
    )
    for place in beyond:
        item = raised[place]
        texts[place] = replace(item, facts=_CurrentFacts(item.company)).text(book, at)
    reasons: dict[str, dict[str, str]] = {company.external_id: {} for company in found}
    for place, item in enumerate(raised):
        reasons[item.company.external_id][item.flag.name] = texts[place]
    return reasons


def _states(
    organization_id: int, found: Sequence[Company], book: RuleBook
) -> Iterable[CompanyState]:
    return (company_state(stored, book) for stored in stored_health_of(organization_id, found))


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
