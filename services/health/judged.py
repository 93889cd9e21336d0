"""Writes the judged health of companies and of their flags."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.companies import companies
from models.companies.companies import Company
from models.companies.fields.team_columns import RaisedFlag
from models.health import flag_states
from models.health.flag_states import StoredFlagState
from rules.book import RuleBook
from rules.judging.overrides import effective_levels
from rules.judging.state import CompanyState
from rules.phrases.condition import Level
from services.team_columns import team_columns


@dataclass(frozen=True)
class JudgedCompany:
    """A company with its judged state, the rules it was judged by, and its flags before."""

    company: Company
    state: CompanyState
    book: RuleBook
    flags_before: Sequence[StoredFlagState] = ()


def save_judged(organization_id: int, judged: Sequence[JudgedCompany]) -> None:
    """Write the health of companies of an organization, and their flags that changed."""
    removed: list[StoredFlagState] = []
    changed: list[StoredFlagState] = []
    for item in judged:
        company, state = item.company, item.state
        company.health_status = state.status
        company.changed_at = state.changed_at
        company.recorded_until = state.recorded_until
        company.awaiting = sorted(name for name, flag in state.flags.items() if flag.awaits_event)
        levels = effective_levels(item.book, state)
        company.score = item.book.score(levels)
        company.raised = _raised_flags(item.book, levels)
        company.team = team_columns(company.traits, item.book)
        before = {flag.flag: flag for flag in item.flags_before}
        removed += (flag for flag in item.flags_before if flag.flag not in state.flags)
        changed += (flag for flag in _flag_states(item) if flag != before.get(flag.flag))
    companies.save_health(organization_id, [item.company for item in judged])
    flag_states.remove(organization_id, removed)
    flag_states.save(changed)


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
