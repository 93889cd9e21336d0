"""Replays stored events through rule books, on every processor of this machine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from config.settings import Settings
from models.companies import companies
from models.companies.companies import Company
from models.companies.fields import field_history
from models.database import transaction
from models.events import events
from rules.book import RuleBook
from rules.durations import BEGINNING, shift
from rules.facts_in_memory import FactsInMemory, FieldChange, Occurrence
from rules.judging.replay import Replay, replay
from rules.phrases.counting import Never
from services.parallel import on_every_processor

CHUNK = 50
"""Companies in a task of one process: enough to be worth a query, few enough to show progress."""


@dataclass(frozen=True)
class ReplayPeriod:
    """The time to replay, both ends included."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class CompanyReplay:
    """One company, by the client's own id, with its replay by each book."""

    company: str
    replays: tuple[Replay, ...]


def backtest(
    settings: Settings,
    organization_id: int,
    company_ids: Sequence[int],
    books: Sequence[RuleBook],
    period: ReplayPeriod,
) -> Iterator[list[CompanyReplay]]:
    """Replay companies of an organization, in a transaction of its own for each chunk.

    Yields chunks as they finish.

    Raises:
        OperationalError: PostgreSQL cannot be reached.
        BrokenProcessPool: a worker process was killed.
    """
    chunks = [company_ids[start : start + CHUNK] for start in range(0, len(company_ids), CHUNK)]
    replay_task = partial(replay_chunk, organization_id, books=books, period=period)
    yield from on_every_processor(settings, replay_task, chunks)


def replay_chunk(
    organization_id: int,
    company_ids: Sequence[int],
    books: Sequence[RuleBook],
    period: ReplayPeriod,
) -> list[CompanyReplay]:
    """Replay companies in this process, in a transaction of its own."""
    with transaction():
        facts_of_companies = facts_in_memory(organization_id, company_ids, books, period)
    return [
        CompanyReplay(
            company.external_id,
            tuple(replay(book, facts, since=period.since, until=period.until) for book in books),
        )
        for company, facts in facts_of_companies
    ]


def facts_in_memory(
    organization_id: int,
    company_ids: Sequence[int],
    books: Sequence[RuleBook],
    period: ReplayPeriod,
) -> list[tuple[Company, FactsInMemory]]:
    """Return each company with all of its events and fields that the books can ask for."""
    keys = {flag.selector.event_key for book in books for flag in book.flags}
    rows = events.read_for_companies(
        organization_id,
        company_ids,
        None if None in keys else {key for key in keys if key is not None},
        since=_first_needed(books, period.since),
        until=period.until,
    )
    occurrences: dict[int, list[Occurrence]] = {company_id: [] for company_id in company_ids}
    for company_id, at, key, user, data in rows:
        occurrences[company_id].append(Occurrence(at, key, data, user))
    fields = frozenset(name for book in books for name in book.company_fields)
    changes: dict[int, list[FieldChange]] = {company_id: [] for company_id in company_ids}
    history = field_history.read_for_companies(organization_id, company_ids, fields)
    for company_id, field, at, value in history:
        changes[company_id].append(FieldChange(at, field, value))
    return [
        (
            company,
            FactsInMemory(
                occurrences[company.id],
                [*changes[company.id], _own_id(company)],
                first_seen_at=company.first_seen_at,
            ),
        )
        for company in companies.find_by_ids(organization_id, company_ids)
    ]


def _first_needed(books: Sequence[RuleBook], since: datetime) -> datetime:
    """Return the time of the earliest event that can matter from `since` on."""
    flags = [flag for book in books for flag in book.flags]
    phrases = [part for flag in flags for phrase in flag.phrases for part in phrase]
    if any(isinstance(part, Never) for part in phrases):
        return BEGINNING
    lookback = max((part.lookback for part in phrases), default=since - since)
    warm_up = max((flag.warm_up for flag in flags), default=since - since)
    return shift(since, -(lookback + warm_up))


def _own_id(company: Company) -> FieldChange:
    return FieldChange(company.first_seen_at, "id", company.external_id)
