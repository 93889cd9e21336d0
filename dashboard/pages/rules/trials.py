"""Tries rules on stored companies while somebody waits: as many as the time allows, and says so."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from models.companies import companies
from models.database import read_one_snapshot, transaction
from models.organizations.organizations import Organization
from rules.book import RuleBook
from services.rules.backtest import CHUNK, CompanyReplay, ReplayPeriod, replay_chunk
from services.rules.backtest_report import BacktestReport
from services.rules.plan import Plan, collect, plan

PATIENCE = timedelta(seconds=6)
"""How long companies are judged; what is left out is told, and the command line does all."""


class Patience:
    """Runs out a while after it was made; never before the first question."""

    def __init__(
        self, lasts: timedelta = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._until = clock() + lasts.total_seconds()
        self._asked = False

    def lasts(self) -> bool:
        """Whether there is time for more."""
        first, self._asked = not self._asked, True
        return first or self._clock() < self._until


def make_plan(
    organization: Organization, book: RuleBook, now: datetime, patience: Patience
) -> Plan:
    """What a book would change at `now`."""
    with transaction():
        read_one_snapshot()
        of = companies.count(organization.id)
        planned = plan(organization.id, organization.rules_version, book, now)
        in_time = takewhile(lambda _: patience.lasts(), planned)
        return collect(organization, book, in_time, of=of)


def replay_some(
    organization: Organization, book: RuleBook, stretch: ReplayPeriod, patience: Patience
) -> tuple[BacktestReport, int]:
    """What a book would have said of the companies that there is time for, and of how many.

    Those are spread evenly over all, from the first seen to the last.
    """
    with transaction():
        ids = companies.ids_of_organization(organization.id)
    replayed: list[CompanyReplay] = []
    for chunk in _spread(ids):
        if not patience.lasts():
            break
        replayed += replay_chunk(chunk, [book], stretch)
    return BacktestReport(book, [], replayed, stretch), len(ids)


def _spread(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """All ids in chunks, each of which has some from everywhere."""
    chunks = max(1, -(-len(ids) // CHUNK))
    return (ids[start::chunks] for start in range(chunks) if ids)
