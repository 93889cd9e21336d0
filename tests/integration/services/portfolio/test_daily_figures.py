"""The daily figures equal a recount from transitions and the history of fields."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.database import transaction
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from models.portfolio import stale_companies
from models.portfolio.daily_figures import Amount, Kind
from services.health.overrides import (
    FlagOfCompany,
    JudgingContext,
    Justification,
    OverrideRefused,
    override,
)
from services.portfolio import upkeep
from tests.support.imports.histories import past
from tests.support.portfolio.recount import count_all, kept, recount
from tests.support.properties import effort
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("settings")

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: , report: }
team: {value: company.arr}
flags:
  - {flag: Logs in, event: login, when: {At Risk: less than 2 times in 3 days}}
  - {flag: Reports, event: report, when: {At Risk: at least 1 time in 2 days, Critical: at least 2 times in 3 days}}
"""  # noqa: E501

EDITS = (
    RULES,
    RULES.replace("Healthy", "Good").replace("Critical", "Lost"),
    RULES.replace("[Healthy, At Risk, Critical]", "[Thriving, Healthy, At Risk, Critical]"),
    RULES.replace("company.arr", "company.seats"),
    RULES.replace("team: {value: company.arr}\n", ""),
    RULES[: RULES.index("  - {flag: Reports")],
)

DAYS = 20
VALUES = (0, 1200, 99.5, "500", "3.005", "much", None, -40)


class Account:
    """An organization with some customers, to whom random things happen."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.world = World.create(RULES, rules_at=-timedelta(days=1))

    def live(self) -> None:
        """Let time pass, with something new every few hours."""
        world = self.world
        while world.now < world.at(timedelta(days=DAYS)):
            world.advance(hours=self.chance.choice([1, 7, 30]))
            for _ in range(self.chance.randrange(3)):
                self.chance.choice([self.send, self.send, self.correct, self.send_past])()
            if self.chance.random() < 0.1:
                world.apply_rules(self.chance.choice(EDITS))
            if self.chance.random() < 0.5:
                world.judge()
            if self.chance.random() < 0.1 and world.company_ids():
                self.override()
            if self.chance.random() < 0.1 and world.company_ids():
                self.leave()
            if self.chance.random() < 0.2:
                count_all(world.id, world.rulebooks)
        world.judge(at=world.advance(minutes=5))

    def send(self) -> None:
        key = self.chance.choice(["login", "report"])
        self.world.track(self._company(), key=key, **self._fields())

    def send_past(self) -> None:
        """Send an event that is late, or import one of the past."""
        world, hours = self.world, self.chance.choice([2, 50, 200])
        at, key = world.ago(hours=hours), self.chance.choice(["login", "report"])
        event = world.event(self._company(), at, key=key, received=world.now, **self._fields())
        world.store(*(past(world, event, at=world.now) if self.chance.random() < 0.5 else [event]))

    def correct(self) -> None:
        """Set fields without an event, perhaps at an earlier time."""
        at = self.world.ago(hours=self.chance.choice([0, 0, 40]))
        self.world.store(
            self.world.update(
                self._company(), at, received=self.world.now, name="A", **self._fields()
            )
        )

    def override(self) -> None:
        world = self.world
        target = FlagOfCompany(world.id, self.chance.choice(self.names()), "Logs in")
        why = Justification(reason="on hold", owner="ann", made_by="ben")
        try:
            with transaction():
                override(
                    target,
                    self.chance.choice(["At Risk", "Critical"]),
                    world.now + timedelta(days=2),
                    why,
                    JudgingContext(world.rulebooks, world.now, lambda *_: world.now),
                )
        except OverrideRefused:
            return

    def leave(self) -> None:
        """Let a company leave, or come back."""
        kind = self.chance.choice([OutcomeKind.LEFT, OutcomeKind.LEFT, OutcomeKind.RENEWED])
        day = self.world.ago(hours=self.chance.choice([0, 40])).date()
        company_id = self.chance.choice(self.world.company_ids())
        with transaction():
            outcomes.enter(
                self.world.id, [NewOutcome(company_id, kind, day)], "ann", self.world.now
            )

    def names(self) -> list[str]:
        sql = "select external_id from companies where organization_id = %(id)s order by 1"
        return [row["external_id"] for row in self.world.rows(sql)]

    def days(self) -> list[date]:
        first = self.world.start.date() - timedelta(days=10)
        return [first + timedelta(days=number) for number in range(DAYS + 13)]

    def _company(self) -> str:
        return self.chance.choice("abc")

    def _fields(self) -> dict[str, object]:
        names = self.chance.sample(["arr", "seats"], self.chance.randrange(3))
        return {name: self.chance.choice(VALUES) for name in names}


@effort(1 / 3)
@given(st.randoms(use_true_random=True))
def test_the_figures_of_each_day_equal_a_recount(chance: Random) -> None:
    account = Account(chance)
    account.live()
    world = account.world
    count_all(world.id, world.rulebooks)
    for day in account.days():
        assert kept(world.id, day) == recount(world.id, day, world.rulebooks), day
    today = kept(world.id, world.now.date())
    by_status = world.rows(
        "select health_status as status, count(*) as number, coalesce(sum(value), 0) as value"
        " from companies where organization_id = %(id)s and left_on is null group by 1"
    )
    assert {name: amount for (kind, name), amount in today.items() if kind == Kind.STATUS} == {
        row["status"]: Amount(row["number"], row["value"]) for row in by_status
    }


def test_all_companies_are_counted_in_steps_after_the_field_of_values_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upkeep, "COMPANIES_AT_ONCE", 2)
    world = World.create(RULES, rules_at=-60)
    for name in "abcde":
        world.track(name, 0, arr=10, seats=3)
    world.judge(at=1)
    count_all(world.id, world.rulebooks)
    day = world.start.date()
    assert kept(world.id, day)[Kind.AT_RISK, ""] == Amount(5, 50)
    world.apply_rules(RULES.replace("company.arr", "company.seats"), 2)
    steps = 1
    with transaction():
        assert not stale_companies.is_complete(world.id, day)
    while _catch_up(world):
        steps += 1
    assert steps == 3
    assert kept(world.id, day)[Kind.AT_RISK, ""] == Amount(5, 15)
    with transaction():
        assert stale_companies.is_complete(world.id, day)


def test_changes_of_today_leave_the_figures_of_the_days_before_complete() -> None:
    world = World.create(RULES, rules_at=-60)
    count_all(world.id, world.rulebooks)
    names = [f"c{number}" for number in range(stale_companies.FEW + 1)]
    for name in names:
        world.track(name, 0)
    world.judge(at=1)
    today = world.now.date()
    with transaction():
        assert stale_companies.is_complete(world.id, today - timedelta(days=1))
        assert not stale_companies.is_complete(world.id, today)


def _catch_up(world: World) -> bool:
    with transaction():
        return upkeep.catch_up(world.id, world.rulebooks)
