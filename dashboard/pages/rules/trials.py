"""Plans and backtests within a time limit: as many companies as there is time for."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from models.companies import companies
from models.database import read_one_snapshot, transaction
from models.organizations.organizations import Organization
from rules.book import RuleBook
from services.rules.backtest import CHUNK, ReplayPeriod, replay_chunk
from services.rules.backtest_totals import BookTotals
from services.rules.plan import Plan, collect, plan
from services.rules.rule_books import RuleBooks

TIME_LIMIT = timedelta(seconds=6)
"""How long a page may evaluate companies. It shows how many are left out; the CLI has no limit."""


class Deadline:
    """A time limit that starts now. The first check always passes."""

    def __init__(
        self, limit: timedelta = TIME_LIMIT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._until = clock() + limit.total_seconds()
        self._checked = False

    def has_time(self) -> bool:
        """Whether the time limit has not passed."""
        first, self._checked = not self._checked, True
        return first or self._clock() < self._until


def plan_within(
    deadline: Deadline,
    organization: Organization,
    book: RuleBook,
    now: datetime,
    rulebooks: RuleBooks,
) -> Plan:
    """Return what rules would change at `now`, for as many companies as there is time for."""
    with transaction():
        read_one_snapshot()
        total = companies.count(organization.id)
        planned = plan(organization.id, organization.rules_version, book, now, rulebooks)
        in_time = takewhile(lambda _: deadline.has_time(), planned)
        return collect(organization, book, in_time, now, of=total, rulebooks=rulebooks)


def backtest_within(
    deadline: Deadline, organization: Organization, book: RuleBook, period: ReplayPeriod
) -> tuple[BookTotals, int]:
    """Backtest rules on as many companies as there is time for; also return how many exist.

    The companies are spread evenly over all, from the first seen to the last.
    """
    with transaction():
        ids = companies.list_ids(organization.id)
    totals = BookTotals.of(book, period, timedelta(0))
    for chunk in spread(ids):
        if not deadline.has_time():
            break
        for replayed in replay_chunk(organization.id, chunk, [book], period):
            totals.add(replayed.replays[0])
    return totals, len(ids)


def spread(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Split the ids into chunks, each spread evenly over all."""
    chunks = max(1, -(-len(ids) // CHUNK))
    return (ids[start::chunks] for start in range(chunks) if ids)
