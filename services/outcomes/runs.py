"""Derives the runs of flags from transitions, in the background."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from models import across_organizations
from models.database import transaction
from models.health import flag_runs, transitions
from models.health.flag_runs import STATUS, FlagRun, StaleRuns
from models.health.transitions import StoredTransition
from rules.statuses import NOT_APPLICABLE
from services.rules.rule_books import NO_RULES, RuleBooks

CHUNK = 200
"""Companies in one transaction, which their evaluation waits for."""

MOST_CHUNKS = 100
"""What one refresh derives of an organization; the next one, some seconds later, continues."""


def refresh(rulebooks: RuleBooks) -> None:
    """Derive the runs of new transitions, each chunk of companies in a transaction of its own.

    Several processes may do this at the same time.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; committed chunks stay.
    """
    with transaction():
        organizations = across_organizations.list_with_stale_runs()
    for organization_id in organizations:
        for _ in range(MOST_CHUNKS):
            with transaction():
                stale = flag_runs.lock_stale(organization_id, limit=CHUNK)
                derive(organization_id, stale, rulebooks)
            if len(stale) < CHUNK:
                break


def derive(organization_id: int, stale: list[StaleRuns], rulebooks: RuleBooks) -> None:
    """Derive the runs of locked companies from the transitions that they do not include yet."""
    if not stale:
        return
    ids = [company.company_id for company in stale]
    from_start = [company.company_id for company in stale if company.runs_sequence < 0]
    flag_runs.remove_all(organization_id, from_start)
    companies = {id_: _Company(organization_id, id_) for id_ in ids}
    for run in flag_runs.list_open(organization_id, ids):
        companies[run.company_id].open[run.flag] = run.raised_at
    after = {company.company_id: company.runs_sequence for company in stale}
    for recorded in transitions.list_after(organization_id, after):
        book = rulebooks.book_if_readable(organization_id, recorded.rules_version) or NO_RULES
        companies[recorded.company_id].follow(recorded, book.statuses[0])
    runs = [run for company in companies.values() for run in company.runs]
    flag_runs.save(organization_id, runs, stale)


@dataclass
class _Company:
    """A company whose transitions are followed in order; `open` are its flags that are raised."""

    organization_id: int
    id: int
    open: dict[str, datetime] = field(default_factory=dict)
    _runs: dict[tuple[str, datetime], FlagRun] = field(default_factory=dict)

    @property
    def runs(self) -> Iterable[FlagRun]:
        """The runs that began or ended."""
        return self._runs.values()

    def follow(self, recorded: StoredTransition, best: str) -> None:
        """Follow a transition; `best` is the best status of the rules that it was judged by."""
        self._set(STATUS, recorded.at, is_raised=recorded.to_status != best)
        for change in recorded.changes:
            is_raised = change["to"] not in (None, best, NOT_APPLICABLE)
            self._set(change["flag"], recorded.at, is_raised=is_raised)

    def _set(self, flag: str, at: datetime, *, is_raised: bool) -> None:
        if is_raised and flag not in self.open:
            self.open[flag] = at
            self._note(flag, at, None)
        elif not is_raised and flag in self.open:
            self._note(flag, self.open.pop(flag), at)

    def _note(self, flag: str, raised_at: datetime, cleared_at: datetime | None) -> None:
        self._runs[flag, raised_at] = FlagRun(
            self.organization_id, self.id, flag, raised_at, cleared_at
        )
