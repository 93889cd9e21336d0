"""Backtests over all companies: each counts once, whatever happens to the workers."""

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.settings import Settings
from models.companies import companies
from models.database import transaction
from models.outcomes import backtests, outcomes
from models.outcomes.backtests import LEASE, Backtest, BacktestState
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from rules.file.rule_file import read_rules
from services.outcomes.of_companies import outcomes_of
from services.rules import backtest_jobs
from services.rules.backtest import ReplayPeriod, replay_chunk
from services.rules.backtest_jobs import BacktestRequest, TooManyBacktests, advance, start
from services.rules.comparison import Comparison
from services.rules.rule_books import RuleBooks
from tests.support.dashboard.application import NOW
from tests.support.world import World, days_ago

RULES = """
version: 1
statuses: [Healthy, At Risk]
events: {login: }
flags:
  - {flag: Logs in, event: login, when: {At Risk: less than 2 times in 10 days}}
  - {flag: Former, event: login, when: {At Risk: no activity for 40 days}}
"""
DRAFT = RULES.replace("less than 2 times in 10", "less than 1 time in 5").replace("Former", "New")


@pytest.fixture
def world(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world of seven companies, of which three left; a chunk has two."""
    monkeypatch.setattr(backtest_jobs, "CHUNK", 2)
    world = World.create(RULES, start=NOW, rules_at=-timedelta(days=400))
    for number in range(7):
        world.track(f"c{number}", *days_ago(*range(100, 10 + 9 * number, -2)))
    with transaction():
        for company, day, amount in (("c0", 20, 100), ("c1", 60, None), ("c6", 5, 7)):
            row = companies.find(world.id, company)
            assert row is not None
            left = NewOutcome(
                row.id,
                OutcomeKind.LEFT,
                NOW.date() - timedelta(days=day),
                None if amount is None else Decimal(amount),
            )
            outcomes.enter(world.id, [left], "test", NOW)
    return world


def begin(world: World, source: str = DRAFT) -> int:
    with transaction():
        return start(world.organization, BacktestRequest(source, 90, 30), "ann", NOW)


def stored(world: World, backtest_id: int) -> Backtest:
    with transaction():
        found = backtests.find(world.id, backtest_id)
    assert found is not None
    return found


def turn(world: World, *, seconds: float = 0.0, each: float = 1.0) -> bool:
    """Advance with a clock that every look moves, so that a turn has few steps of one chunk."""
    ticks = itertools.count()
    return advance(
        world.id,
        RuleBooks(),
        lambda: NOW + timedelta(seconds=seconds),
        lambda: next(ticks) * each,
    )


def expected(world: World) -> list[dict[str, Any]]:
    """Return what one pass over all companies finds."""
    period = ReplayPeriod(NOW - timedelta(days=90), NOW)
    books = read_rules(DRAFT), read_rules(RULES)
    comparison = Comparison.of(*books, period, timedelta(days=30))
    with transaction():
        ids = companies.list_ids(world.id)
        found = outcomes_of(world.id, ids)
    comparison.add(replay_chunk(world.id, ids, books, period), found)
    return comparison.rows()


def found(world: World, backtest_id: int) -> list[dict[str, Any]]:
    with transaction():
        return backtest_jobs.comparison_of(stored(world, backtest_id), RuleBooks()).rows()


def test_a_backtest_in_steps_finds_what_one_pass_finds(world: World) -> None:
    backtest_id, in_one_pass = begin(world), expected(world)
    world.track("later")  # came after the start, so it is no part of it
    turns = 0
    while turn(world, each=2.0):
        turns += 1
        assert turns < 20
    done = stored(world, backtest_id)
    assert (done.state, done.replayed, done.companies) == (BacktestState.DONE, 7, 7)
    rows = found(world, backtest_id)
    assert rows == in_one_pass
    assert [row["flag"] for row in rows] == ["Logs in", "New", "Former", "(any flag)"]
    [status] = rows[-1:]
    assert status["warned"] + status["missed"] == 3
    assert status["warned_amount"] + status["missed_amount"] == 107


def test_a_worker_that_is_killed_loses_no_company_and_counts_none_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    backtest_id = begin(world)
    calls = itertools.count()

    def killed(*arguments: Any) -> Any:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return replay_chunk(*arguments)

    monkeypatch.setattr(backtest_jobs, "replay_chunk", killed)
    with pytest.raises(KeyboardInterrupt):
        turn(world, each=1.0)
    interrupted = stored(world, backtest_id)
    assert interrupted.state is BacktestState.RUNNING
    assert 0 < interrupted.replayed < 7
    assert not turn(world)  # the lease of the dead worker is not over
    after = LEASE.total_seconds() + 1
    while turn(world, seconds=after):
        pass
    assert stored(world, backtest_id).replayed == 7
    assert found(world, backtest_id) == expected(world)


def test_a_worker_that_was_too_slow_saves_nothing(world: World) -> None:
    begin(world)
    with transaction():
        slow = backtests.claim(world.id, NOW)
        assert slow is not None
        other = backtests.claim(world.id, NOW + LEASE + timedelta(seconds=1))
        assert other is not None
        assert not backtests.save(slow, NOW)
        assert backtests.save(other, NOW)


def test_a_cancelled_backtest_ends_and_the_next_one_begins(world: World) -> None:
    first, second = begin(world), begin(world)
    turn(world, each=6.0)
    assert stored(world, second).state is BacktestState.WAITING
    with transaction():
        assert backtests.finish(stored(world, first), BacktestState.CANCELLED, NOW)
        assert not backtests.finish(stored(world, first), BacktestState.DONE, NOW)
    while turn(world):
        pass
    states = [stored(world, each).state for each in (first, second)]
    assert states == [BacktestState.CANCELLED, BacktestState.DONE]


def test_only_so_many_backtests_wait_and_old_ones_are_removed(world: World) -> None:
    ids = [begin(world) for _ in range(backtest_jobs.MOST_UNFINISHED)]
    with pytest.raises(TooManyBacktests):
        begin(world)
    while turn(world):
        pass
    backtest_jobs.remove_old(NOW + backtest_jobs.KEPT_FOR)
    assert stored(world, ids[0]).state is BacktestState.DONE
    backtest_jobs.remove_old(NOW + backtest_jobs.KEPT_FOR + timedelta(seconds=1))
    with transaction():
        assert backtests.list_newest(world.id, limit=9) == []


def test_a_backtest_that_never_gets_on_has_failed(world: World) -> None:
    backtest_id = begin(world)
    for attempt in range(backtest_jobs.MOST_CLAIMS):
        with transaction():
            at = NOW + attempt * timedelta(minutes=2)
            assert backtests.claim(world.id, at) is not None
    turn(world, seconds=3_600)
    failed = stored(world, backtest_id)
    assert (failed.state, "interrupted" in str(failed.error)) == (BacktestState.FAILED, True)
