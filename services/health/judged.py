"""Writes the judged health of companies and of their flags."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.companies import companies
from models.companies.companies import Company
from models.health import flag_states
from models.health.flag_states import StoredFlagState
from rules.book import RuleBook
from rules.judging.overrides import effective_levels
from rules.judging.state import CompanyState


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
        company.score = item.book.score(effective_levels(item.book, state))
        before = {flag.flag: flag for flag in item.flags_before}
        removed += (flag for flag in item.flags_before if flag.flag not in state.flags)
        changed += (flag for flag in _flag_states(item) if flag != before.get(flag.flag))
    companies.save_health(organization_id, [item.company for item in judged])
    flag_states.remove(organization_id, removed)
    flag_states.save(changed)


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
