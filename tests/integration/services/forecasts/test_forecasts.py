"""The forecast of an organization is that of the evaluator for each of its companies."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from zoneinfo import ZoneInfo

import pytest

from models.companies import companies
from models.database import query, transaction
from models.health import forecasts, upcoming_changes
from models.health.upcoming_changes import Direction, UpcomingFilter
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from services.forecasts.refreshing import HORIZON, refresh
from services.rules.planned_changes import PlannedChange, forecast
from services.time_zones import start_of_day
from tests.support.properties import seeds
from tests.support.world import START, World

NOW = START + timedelta(days=20)

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: , ticket: , report: }
team: {owner: company.csm, value: company.arr}
flags:
  - flag: Quiet
    event: login
    when: {At Risk: no activity for 5 days, Critical: no activity for 11 days}
  - flag: Tickets
    event: ticket
    when: {At Risk: at least 2 times in 4 days, Critical: at least 4 times in 9 days}
  - flag: Reports
    event: report
    when: {Critical: at least 1 time in 2 days}
    recover: less than 1 time in 6 days
  - flag: Renewal
    when: {At Risk: company.renewal is within 12 days}
"""

STATUSES = ("Healthy", "At Risk", "Critical")

pytestmark = pytest.mark.usefixtures("settings")


def random_world(seed: int, number: int = 14) -> World:
    """Return a world with random events, owners and values, evaluated at `NOW`."""
    chance = random.Random(seed)
    world = World.create(RULES, rules_at=0)
    for n in range(number):
        at = START + timedelta(seconds=chance.randrange(20 * 86_400))
        renewal = (at + timedelta(days=chance.randrange(60))).date().isoformat()
        fields = {"csm": chance.choice(["Ann", "ben", None]), "renewal": renewal}
        if value := chance.choice([None, 100, 2_500, 70_000]):
            fields["arr"] = value
        times = [at + timedelta(hours=chance.randrange(300)) for _ in range(chance.randrange(1, 9))]
        for event_at in sorted(time for time in times if time <= NOW) or [at]:
            key = chance.choice(["login", "login", "ticket", "report"])
            world.track(f"c{n}", event_at, key=key, **fields)
    world.judge(at=NOW)
    return world


def refresh_all(world: World, at: datetime) -> None:
    with transaction():
        forecasts.ask(world.id, at)
    assert refresh(world.id, world.rulebooks, lambda: at) is False


def forecast_of_each(world: World, at: datetime) -> dict[int, list[PlannedChange]]:
    """Return the changes of status of each company, as the evaluator predicts them."""
    with transaction():
        ids = companies.list_ids(world.id)
        changes = list(forecast(world.id, ids, 1, at, at + HORIZON))
    assert len(changes) == len(ids)
    return {
        number: [change for change in of_company if change.before != change.after]
        for number, of_company in zip(ids, changes, strict=True)
    }


def expected(
    world: World, at: datetime, days: list[datetime]
) -> dict[tuple[int, Direction], list[int]]:
    """Count by hand: the companies by the day of their worst status and what becomes of them."""
    found: dict[tuple[int, Direction], list[int]] = defaultdict(list)
    for company_id, all_changes in forecast_of_each(world, at).items():
        changes = [change for change in all_changes if change.at < days[-1]]
        if not changes:
            continue
        start, levels = (
            STATUSES.index(changes[0].before),
            [STATUSES.index(c.after) for c in changes],
        )
        worst = changes[levels.index(max(levels))]
        if max(levels) > start:
            direction = Direction.WORSE
        elif levels[-1] == start:
            direction = Direction.RETURNS
        else:
            recovered = all(
                flag.flag == "Reports"
                for change, level in zip(changes, levels, strict=True)
                if level < STATUSES.index(change.before)
                for flag in change.flags
                if STATUSES.index(flag.after) < STATUSES.index(flag.before)
            )
            direction = Direction.RECOVERS if recovered else Direction.RUNS_OUT
        day = next(n for n, start_of in enumerate(days[1:]) if worst.at < start_of)
        found[day, direction].append(company_id)
    return found


def values_of(world: World, ids: list[int]) -> Decimal | None:
    with transaction():
        rows = query(
            "select sum(value) as value from companies where organization_id = %(o)s"
            " and id = any(%(ids)s)",
            {"o": world.id, "ids": ids},
        )
    value: Decimal | None = rows[0]["value"]
    return value


def days_from(at: datetime, number: int, zone: str) -> list[datetime]:
    today = at.astimezone(ZoneInfo(zone)).date()
    return [start_of_day(today + timedelta(days=n), ZoneInfo(zone)) for n in range(number + 1)]


def listed(world: World, upcoming: UpcomingFilter) -> Iterator[upcoming_changes.ListedChange]:
    after = None
    while True:
        with transaction():
            page, after = upcoming_changes.read_page(world.id, upcoming, after=after, limit=3)
        yield from page
        if after is None:
            return


@pytest.mark.parametrize("seed", seeds())
def test_totals_and_lists_equal_a_forecast_of_every_company(seed: int) -> None:
    world = random_world(seed)
    refresh_all(world, NOW)
    for number, zone in ((7, "UTC"), (14, "Asia/Kathmandu"), (30, "America/New_York")):
        days = days_from(NOW, number, zone)
        by_hand = expected(world, NOW, days)
        upcoming = UpcomingFilter(until=days[-1])
        with transaction():
            totals = upcoming_changes.count_by_day(world.id, upcoming, days[:-1])
        assert {(total.day, total.direction): total.companies for total in totals} == {
            key: len(ids) for key, ids in by_hand.items()
        }
        for total in totals:
            assert total.value == values_of(world, by_hand[total.day, total.direction])
        rows = list(listed(world, upcoming))
        assert sorted(row.company_id for row in rows) == sorted(chain(*by_hand.values()))
        assert [(row.direction, row.worst_at) for row in rows] == sorted(
            (row.direction, row.worst_at) for row in rows
        )
        changes = forecast_of_each(world, NOW)
        for row in rows:
            in_span = [change for change in changes[row.company_id] if change.at < days[-1]]
            worst = next(change for change in in_span if change.at == row.worst_at)
            assert (row.from_status, row.to_status) == (in_span[0].before, in_span[-1].after)
            assert (row.worst_status, row.to_at) == (worst.after, in_span[-1].at)
            assert [flag["description"] for flag in row.flags] == [
                flag.description for flag in worst.flags
            ]


@pytest.mark.parametrize("seed", seeds())
def test_companies_that_were_evaluated_since_are_forecast_again(seed: int) -> None:
    world = random_world(seed)
    refresh_all(world, NOW)
    later = NOW + timedelta(hours=9)
    chance = random.Random(seed)
    chosen = [f"c{chance.randrange(16)}" for _ in range(4)]
    for company in chosen:
        world.track(company, NOW + timedelta(hours=1), key=chance.choice(["login", "ticket"]))
    for company in {*chosen}:
        world.judge(company, later)
    with transaction():
        state = forecasts.find(world.id)
        assert state is not None
        assert state.evaluated_until is not None
        since = forecasts.count_evaluated(world.id, since=state.evaluated_until, most=100)
        assert since == len(set(chosen))
    refresh_all(world, later)
    days = days_from(later, 30, "Europe/Berlin")
    with transaction():
        totals = upcoming_changes.count_by_day(world.id, UpcomingFilter(days[-1]), days[:-1])
        state = forecasts.find(world.id)
        assert state is not None
        assert state.evaluated_until is not None
        assert forecasts.count_evaluated(world.id, since=state.evaluated_until, most=100) == 0
    assert (state.as_of, state.complete_at) == (later, NOW)
    by_hand = expected(world, later, days)
    assert {(total.day, total.direction): total.companies for total in totals} == {
        key: len(ids) for key, ids in by_hand.items()
    }


def test_a_company_that_left_is_not_expected_to_change_until_it_returns() -> None:
    world = World.create(RULES, rules_at=0, start=NOW)
    world.track("c", NOW - timedelta(days=1))
    world.judge()

    def expected_after(day: timedelta) -> int:
        at = NOW + day
        refresh_all(world, at)
        with transaction():
            page, _ = upcoming_changes.read_page(
                world.id, UpcomingFilter(at + timedelta(days=30)), after=None, limit=10
            )
        return len(page)

    def enter(kind: OutcomeKind, day: timedelta) -> None:
        with transaction():
            [company_id] = companies.list_ids(world.id)
            outcome = NewOutcome(company_id, kind, (NOW + day).date())
            outcomes.enter(world.id, [outcome], "ann", NOW + day)

    hour = timedelta(hours=1)
    assert expected_after(hour) == 1
    enter(OutcomeKind.LEFT, hour)
    assert expected_after(2 * hour) == 0
    enter(OutcomeKind.RENEWED, timedelta(days=1))
    assert expected_after(3 * hour) == 1
