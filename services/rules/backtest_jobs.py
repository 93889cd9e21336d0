"""Runs backtests over all companies in the background, step by step.

A step replays some companies and saves the totals together with how far it has come. A worker that
is killed loses the step that it was in, and another one continues from the last that was saved.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models import across_organizations
from models.companies import companies
from models.database import transaction
from models.organizations.organizations import Organization
from models.outcomes import backtests
from models.outcomes.backtests import Backtest, BacktestState, NewBacktest
from rules.book import RuleBook
from rules.faults import RuleFileError
from rules.file.rule_file import read_rules
from services.errors import ServiceError
from services.outcomes.of_companies import outcomes_of
from services.rules.backtest import CHUNK, ReplayPeriod, replay_chunk
from services.rules.comparison import Comparison
from services.rules.rule_books import RuleBooks, RulesUnreadable

MOST_UNFINISHED = 5
"""Backtests of an organization that may wait or run."""

STEP = timedelta(seconds=2)
"""How long a step takes before it is saved: what a page shows is not older."""

TURN = timedelta(seconds=10)
"""How long a worker continues before other organizations get their turn."""

MOST_CLAIMS = 5
"""Claims without a step between them, after which a backtest has failed."""

KEPT_FOR = timedelta(days=30)
"""How long backtests are kept."""


class TooManyBacktests(ServiceError):
    """Raised when as many backtests as may wait do so already."""


@dataclass(frozen=True)
class BacktestRequest:
    """What to replay: a draft, over so many days up to now, with a horizon in days."""

    source: str
    days: int
    horizon: int


def start(organization: Organization, request: BacktestRequest, by: str, now: datetime) -> int:
    """Add a backtest of all companies, and return its id.

    Raises:
        RuleFileError: the draft has faults.
        TooManyBacktests: too many wait already.
    """
    read_rules(request.source)
    if backtests.count_unfinished(organization.id) >= MOST_UNFINISHED:
        raise TooManyBacktests(f"{MOST_UNFINISHED} backtests wait or run already.")
    number, last_id = companies.count_with_last_id(organization.id)
    return backtests.add(
        organization.id,
        NewBacktest(
            request.source,
            organization.rules_version,
            now - timedelta(days=request.days),
            now,
            request.horizon,
            number,
            last_id,
            by,
            now,
        ),
    )


def comparison_of(backtest: Backtest, rulebooks: RuleBooks) -> Comparison:
    """Return what a backtest has found so far.

    Raises:
        RuleFileError: this release finds faults in the draft.
        RulesUnreadable: or in the rules that it is compared with.
    """
    in_force = rulebooks.book(backtest.organization_id, backtest.began_from)
    period = ReplayPeriod(backtest.since, backtest.until)
    horizon = timedelta(days=backtest.horizon)
    comparison = Comparison.of(_draft(backtest), in_force, period, horizon)
    if backtest.totals is not None:
        comparison.restore(backtest.totals)
    return comparison


def advance(
    organization_id: int,
    rulebooks: RuleBooks,
    now: Callable[[], datetime],
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Continue the oldest backtest for a turn, each step in a transaction of its own.

    Returns whether there is more to do for the organization that no other worker does.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; saved steps stay.
    """
    with transaction():
        backtest = backtests.claim(organization_id, now())
        if backtest is None:
            return False
        comparison = _prepare(backtest, rulebooks, now())
        if comparison is None:
            return True
    ends = clock() + TURN.total_seconds()
    while True:
        backtest, has_more = _step(backtest, comparison, clock)
        with transaction():
            if not backtests.save(backtest, now()):
                return True  # it was cancelled, so that the next one may begin
            if not has_more:
                backtests.finish(backtest, BacktestState.DONE, now())
                return True
            if clock() >= ends:
                backtests.release(backtest)
                return True


def _prepare(backtest: Backtest, rulebooks: RuleBooks, now: datetime) -> Comparison | None:
    """Return what a claimed backtest has found so far; None if it cannot continue, and has failed.

    A backtest whose workers are killed again and again would otherwise begin for ever.
    """
    error = "It was interrupted several times in a row. The log has the reason."
    if backtest.claims <= MOST_CLAIMS:
        try:
            return comparison_of(backtest, rulebooks)
        except (RuleFileError, RulesUnreadable) as fault:
            error = str(fault)
    backtests.finish(backtest, BacktestState.FAILED, now, error=error)
    return None


def _step(
    backtest: Backtest, comparison: Comparison, clock: Callable[[], float]
) -> tuple[Backtest, bool]:
    """Replay companies, each chunk in a transaction of its own; also return if there are more."""
    ends = clock() + STEP.total_seconds()
    after_id, replayed = backtest.after_id, backtest.replayed
    has_more = True
    while has_more:
        with transaction():
            ids = companies.list_ids_between(
                backtest.organization_id, after_id, backtest.last_id, limit=CHUNK
            )
            outcomes = outcomes_of(backtest.organization_id, ids)
        period = comparison.draft.period
        chunk = replay_chunk(backtest.organization_id, ids, comparison.books, period)
        comparison.add(chunk, outcomes)
        replayed += len(chunk)
        has_more = len(ids) == CHUNK
        after_id = ids[-1] if ids else after_id
        if clock() >= ends:
            break
    saved = replace(backtest, after_id=after_id, replayed=replayed, totals=comparison.as_json())
    return saved, has_more


def remove_old(now: datetime) -> None:
    """Delete old backtests, in a transaction of its own for each organization."""
    before = now - KEPT_FOR
    with transaction():
        organizations = across_organizations.list_with_old_backtests(before=before)
    for organization_id in organizations:
        with transaction():
            backtests.remove_old(organization_id, before=before)


def _draft(backtest: Backtest) -> RuleBook:
    return read_rules(backtest.source)
