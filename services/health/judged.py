"""Writes the judged health of companies and of their flags."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.companies import companies
from models.companies.companies import EVALUATION_REVISION, Company
from models.companies.fields.team_columns import RaisedFlag, TeamColumns
from models.health import flag_states
from models.health.flag_states import StoredFlagState
from models.health.work_items import lifecycle
from rules.book import RuleBook
from rules.judging.overrides import effective_levels
from rules.judging.state import CompanyState
from rules.phrases.condition import Level
from services.team_columns import team_columns
from services.work_items.opening import EvaluatedCompany
from services.work_items.spells import Settlements


@dataclass(frozen=True)
class JudgedCompany:
    """A company with its settlements, of which the last one counts, and its flags before.

    `is_rewritten` is whether the settlements are its whole history.
    """

    company: Company
    settlements: Settlements
    flags_before: Sequence[StoredFlagState] = ()
    is_rewritten: bool = False

    @property
    def book(self) -> RuleBook:
        """The rules that it was judged by."""
        return self.settlements[-1][0]

    @property
    def state(self) -> CompanyState:
        """Its state now."""
        return self.settlements[-1][2].state


def save_judged(organization_id: int, judged: Sequence[JudgedCompany]) -> list[EvaluatedCompany]:
    """Write the health of companies of an organization, and their flags that changed.

    Return the companies whose work items may have to change.
    """
    removed: list[StoredFlagState] = []
    changed: list[StoredFlagState] = []
    teams: dict[int, TeamColumns] = {}
    with_items: list[EvaluatedCompany] = []
    for item in judged:
        company, state = item.company, item.state
        company.health_status = state.status
        company.changed_at = state.changed_at
        company.recorded_until = state.recorded_until
        company.awaiting = sorted(name for name, flag in state.flags.items() if flag.awaits_event)
        levels = effective_levels(item.book, state)
        company.score = item.book.score(levels)
        raised_before, company.raised = company.raised, _raised_flags(item.book, levels)
        if _may_change_items(item, raised_before):
            with_items.append(
                EvaluatedCompany(
                    company,
                    item.settlements,
                    None if item.is_rewritten else item.flags_before,
                    None if item.is_rewritten else raised_before,
                )
            )
        former, company.team = company.team, team_columns(company.traits, item.book)
        if company.team != former:
            teams[company.id] = company.team
        before = {flag.flag: flag for flag in item.flags_before}
        removed += (flag for flag in item.flags_before if flag.flag not in state.flags)
        changed += (flag for flag in _flag_states(item) if flag != before.get(flag.flag))
    companies.save_health(organization_id, [item.company for item in judged])
    flag_states.remove(organization_id, removed)
    flag_states.save(changed)
    lifecycle.update_team(organization_id, teams)
    return with_items


def _may_change_items(item: JudgedCompany, raised_before: Sequence[RaisedFlag]) -> bool:
    """Whether any flag may have been raised, changed or cleared: not in most evaluations."""
    company = item.company
    return (
        item.is_rewritten
        or company.raised != raised_before
        or (bool(item.flags_before) and company.evaluation_revision < EVALUATION_REVISION)
        or any(
            change.before or change.after
            for *_, settlement in item.settlements
            for change in settlement.changes
        )
    )


def _raised_flags(book: RuleBook, levels: Mapping[str, Level]) -> list[RaisedFlag]:
    """Return the flags that are raised, worst first, then in the order of the rules."""
    raised = [(flag.name, level) for flag in book.flags if (level := levels.get(flag.name))]
    raised.sort(key=lambda named: named[1], reverse=True)
    return [RaisedFlag(name, book.statuses[level]) for name, level in raised]


def _flag_states(judged: JudgedCompany) -> Iterator[StoredFlagState]:
    company, book = judged.company, judged.book
    for name, state in judged.state.flags.items():
        yield StoredFlagState(
            organization_id=company.organization_id,
            company_id=company.id,
            flag=name,
            status=None if state.level is None else book.status_name(state.level),
            changed_at=state.changed_at,
            due_at=state.due_at,
            moved_at=state.moved_at,
            holding={
                book.statuses[n]: since.isoformat() for n, since in state.holding_since.items()
            },
        )
