"""Judges companies by an edit of the rules, and in full only those where that is needed.

For most companies, what an edit changes is certain from the levels that are recorded and the edited
flags at one instant: nearly always, nothing. These flags are judged for a whole page of companies
with a few statements. What an edit changes about each of the others is the judgement that is
recorded when the rules are applied.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial

from models.companies import companies
from models.companies.companies import Company
from models.health import present_levels
from models.health.present_levels import PresentLevels
from rules.book import RuleBook, worst_level
from rules.facts import Facts
from rules.judging.edits import CertainEffect, RuleEdit
from rules.judging.settlement import settle
from rules.judging.state import CompanyState, NewRules, Transition
from rules.phrases.condition import Level
from services.health.fact_reads import ReadsTogether, field_question, judge_alike
from services.health.settlements import (
    StoredHealth,
    company_state,
    facts_of,
    latest_needed,
    settlements_of,
    stored_health_of,
)
from services.health.stored_facts import StoredFacts
from services.rules.planned_changes import PlannedChange, describe_change
from services.rules.rule_books import RuleBooks

PAGE = 1_000
"""Companies whose edited flags are judged together."""

BATCH = 100
"""Companies that are judged in full together, before the first of them is yielded."""


@dataclass(frozen=True)
class PlanJudgement:
    """Judges companies of an organization at `now` by a book that would replace a version."""

    organization_id: int
    version: int
    book: RuleBook
    now: datetime
    rulebooks: RuleBooks

    def changes(self) -> Iterator[PlannedChange | None]:
        """Yield what would change about each company, None if nothing would."""
        edit = RuleEdit(self.rulebooks.book(self.organization_id, self.version), self.book)
        after_id = 0
        while True:
            page = present_levels.read_page(self.organization_id, after_id=after_id, limit=PAGE)
            yield from self._changes_of(page, edit)
            if len(page) < PAGE:
                return
            after_id = page[-1].id

    def change(self, stored: StoredHealth, facts: Facts | None = None) -> PlannedChange | None:
        """Judge a company in full."""
        facts = facts or facts_of(stored.company)
        settlements = settlements_of(stored, self.version, self.rulebooks, self.now, facts)
        former, _, settled = settlements[-1]
        return self._change(stored.company, settled.state, facts, NewRules(self.now, former))

    def _change_of_settled(
        self, stored: StoredHealth, former: RuleBook, facts: Facts, effect: CertainEffect
    ) -> PlannedChange | None:
        """Judge a company that is up to date with the former rules."""
        new_rules = NewRules(self.now, former, effect.without_memory)
        return self._change(stored.company, company_state(stored, former), facts, new_rules)

    def _change(
        self, company: Company, state: CompanyState, facts: Facts, new_rules: NewRules
    ) -> PlannedChange | None:
        after = settle(
            self.book, state, facts, now=self.now, unsettled_since=None, new_rules=new_rules
        )
        return self._described(company, next(iter(after.transitions), None))

    def _described(
        self, company: Company | PresentLevels, transition: Transition | None
    ) -> PlannedChange | None:
        if transition is None:
            return None
        return describe_change(company.external_id, company.name, transition, self.book)

    def _changes_of(
        self, page: Sequence[PresentLevels], edit: RuleEdit
    ) -> Iterator[PlannedChange | None]:
        """Yield the changes of a page: first those that are certain, then those of the rest."""
        reads = ReadsTogether(self.organization_id)
        facts = self._facts_of(page, edit, reads)
        judgements: dict[int, Callable[[], CertainEffect]] = {}
        for company in page:
            levels = self._settled_levels(company, edit)
            if levels is not None:
                judgements[company.id] = partial(
                    edit.effect, company.status, levels, facts[company.id], self.now
                )
        effects, _ = judge_alike(reads, judgements)
        rest = []
        for company in page:
            effect = effects.get(company.id)
            if effect is None or not effect.is_certain:
                rest.append(company.id)
            else:
                yield self._described(company, effect.transition)
        since = edit.looks_back_to(self.now)
        for company_id in rest:
            facts[company_id].read_all_since(since)
            for name in edit.fields_of_referring_flags:
                reads.expect(field_question(company_id, name, since))
        reads.read()
        for start in range(0, len(rest), BATCH):
            ids = rest[start : start + BATCH]
            yield from self._judge_in_whole(ids, edit, reads, facts, effects)

    def _judge_in_whole(
        self,
        company_ids: Sequence[int],
        edit: RuleEdit,
        reads: ReadsTogether,
        facts: Mapping[int, StoredFacts],
        effects: Mapping[int, CertainEffect],
    ) -> Iterator[PlannedChange | None]:
        """Yield the changes of companies, which are judged together as far as possible."""
        batch = companies.find_by_ids(self.organization_id, company_ids)
        stored = {
            health.company.id: health for health in stored_health_of(self.organization_id, batch)
        }
        judgements: dict[int, Callable[[], PlannedChange | None]] = {}
        for company_id, health in stored.items():
            effect, of_company = effects.get(company_id), facts[company_id]
            judgements[company_id] = (
                partial(self._change_of_settled, health, edit.previous, of_company, effect)
                if effect
                else partial(self.change, health, of_company)
            )
        judged, beyond = judge_alike(reads, judgements)
        yield from judged.values()
        yield from (self.change(stored[company_id]) for company_id in beyond)

    def _facts_of(
        self, page: Sequence[PresentLevels], edit: RuleEdit, reads: ReadsTogether
    ) -> dict[int, StoredFacts]:
        """Return the facts of companies, with what nearly every edited flag asks for first."""
        for company in page:
            for name in edit.company_fields:
                reads.expect(field_question(company.id, name, self.now))
        reads.read()
        ids = [company.id for company in page]
        latest = latest_needed(self.organization_id, ids, edit.events_needed)
        return {
            company.id: StoredFacts(
                self.organization_id,
                company.id,
                company.external_id,
                company.first_seen_at,
                latest[company.id],
                reads.ask,
            )
            for company in page
        }

    def _settled_levels(self, company: PresentLevels, edit: RuleEdit) -> Mapping[str, Level] | None:
        """Return the levels of a company's flags; None unless only the edit can change it now.

        It has to be judged by the former rules up to now, with a status that follows from its
        flags, and none of them may be due, or raised and removed by the edit, or overridden.
        """
        unsettled, due, fixed = company.unsettled_since, company.next_due, company.fixed_until
        if (
            company.judged_version != self.version
            or company.is_overridden
            or (unsettled is not None and unsettled <= self.now)
            or (due is not None and due <= self.now)
            or (fixed is not None and fixed > self.now)
            or company.flags.keys() != edit.previous.flags_by_name.keys()
        ):
            return None
        try:
            levels = {name: self._levels[status] for name, status in company.flags.items()}
            level = self._levels[company.status]
        except KeyError:  # the book has no such status
            return None
        if any(levels[name] for name in edit.removed):
            return None
        return levels if level == worst_level(levels.values()) else None

    @cached_property
    def _levels(self) -> Mapping[str | None, Level]:
        """The level of each status of the book, and of none."""
        return {None: None} | {status: level for level, status in enumerate(self.book.statuses)}
