"""Plans, forecasts and backtests of rules agree with live evaluation."""

import itertools
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from config.files import ROOT
from config.settings import Settings
from models.across_organizations import FLAGS, find_due_companies
from models.companies import companies, pending_evaluation
from models.database import query, transaction
from models.health import flag_states
from models.organizations import organizations
from models.webhooks import webhook_endpoints
from rules.file.rule_file import read_rules
from services.events.tracked_event import TrackedEvent
from services.rules.backtest import ReplayPeriod, backtest
from services.rules.plan import plan
from services.rules.planned_changes import PlannedChange, forecast
from tests.support.events import tracked
from tests.support.in_transactions import evaluate
from tests.support.live import pass_time, receive
from tests.support.properties import profile_is_thorough
from tests.support.world import START, World

USAGE_DROP = (ROOT / "config" / "examples" / "usage-drop.yaml").read_text(encoding="utf-8")

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: , report: , invoice: }
flags:
  - flag: Reports
    event: report
    when:
      At Risk: less than 4 times in 7 days
      Critical: less than 1 time in 7 days
    recover: at least 6 times in 7 days
  - flag: Users
    event: any
    when: {At Risk: fewer than 2 distinct users in 5 days}
    for: 1 day
    weight: 2
  - flag: Revenue
    event: invoice
    when: {Critical: sum of data.amount below 50 in 20 days}
    applies_to: {company.plan: [Pro, Enterprise]}
  - flag: Drop
    event: login
    when: {At Risk: down 50% in 4 days}
    ignore_if: previous under 2
  - flag: Both
    when: {Critical: flag Reports is At Risk or worse and flag Users is At Risk}
  - flag: Unhappy
    when: {At Risk: company.nps below 4, Critical: company.nps below 2}
    new_company: wait 2 days
"""

numbers = itertools.count(1)

COMPANIES = 25 if profile_is_thorough() else 4

pytestmark = pytest.mark.usefixtures("settings")


def after(**offset: float) -> datetime:
    return START + timedelta(**offset)


def event(
    organization_id: int, company_id: str, key: str, at: datetime, **sent: Any
) -> TrackedEvent:
    return tracked(
        organization_id,
        company_id,
        at,
        key=key,
        company={"name": company_id.title(), **sent.get("company", {})},
        user_id=sent.get("user"),
        data=sent.get("data"),
    )


class Life(World):
    """A world that is evaluated live: events as they arrive, flags as they fall due."""

    def __init__(self, rules: str = RULES, *, at: datetime = START) -> None:
        with transaction():
            organization = organizations.create(f"o{next(numbers)}")
        super().__init__(organization)
        self.apply_rules(rules, at)

    def live(self, events: Iterable[TrackedEvent], until: datetime) -> None:
        for event in sorted(events, key=lambda event: event.occurred_at):
            self.pass_time(event.occurred_at)
            receive(event, self.rulebooks)
        self.pass_time(until)

    def pass_time(self, until: datetime) -> None:
        pass_time(until, self.rulebooks)

    def judge_by_new_rules(self, at: datetime) -> None:
        with transaction():
            outdated = pending_evaluation.find_outdated(self.id, self.rules_version, limit=1_000)
        for company_id in outdated:
            evaluate([company_id], self.rulebooks, at)

    def random_events(self, seed: int, number: int, days: int) -> list[TrackedEvent]:
        chance = random.Random(seed)
        events = []
        for company in range(number):
            for _ in range(chance.randrange(5, 60)):
                seconds = chance.randrange(days * 86_400)
                events.append(
                    event(
                        self.id,
                        f"c{company}",
                        chance.choice(["login", "login", "report", "report", "invoice"]),
                        after(seconds=seconds),
                        user=chance.choice([None, "ann", "ben", "cem"]),
                        data={"amount": chance.randrange(40)},
                        company={"plan": chance.choice(["Free", "Pro"]), "nps": seconds % 6}
                        if chance.random() < 0.2
                        else {},
                    )
                )
        return events


def recorded(
    *, causes: Iterable[str] = ("time", "event", "override", "rule_change")
) -> list[dict[str, Any]]:
    with transaction():
        return query(
            "select c.external_id as id, t.at, t.from_status, t.to_status, t.changes, t.cause"
            " from transitions t join companies c on c.id = t.company_id"
            " where t.cause = any(%(causes)s) order by c.external_id, t.sequence",
            {"causes": list(causes)},
        )


def statuses() -> dict[str, tuple[str, int | None]]:
    with transaction():
        rows = query("select external_id, health_status, score from companies")
    return {row["external_id"]: (row["health_status"], row["score"]) for row in rows}


def planned(life: Life, rules: str, at: datetime) -> list[PlannedChange]:
    with transaction():
        changes = list(plan(life.id, life.rules_version, read_rules(rules), at))
    assert len(changes) == len(statuses())
    return [change for change in changes if change is not None]


def summaries(changes: Iterable[PlannedChange]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            change.id,
            change.at,
            change.before,
            change.after,
            [(flag.flag, flag.before, flag.after) for flag in change.flags],
        )
        for change in changes
    )


def row_summaries(rows: Iterable[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            row["id"],
            row["at"],
            row["from_status"],
            row["to_status"],
            [(change["flag"], change["from"], change["to"]) for change in row["changes"]],
        )
        for row in rows
    )


def test_exactly_the_planned_companies_change_once_and_a_rollback_restores_them() -> None:
    life = Life()
    life.live(life.random_events(seed=1, number=COMPANIES, days=20), until=after(days=20))
    before = statuses()
    stricter = RULES.replace("less than 4", "less than 9").replace("at least 6", "at least 12")
    changes = planned(life, stricter, after(days=20))
    assert {change.id for change in changes} < set(before)
    assert changes
    assert recorded(causes=["rule_change"]) == []

    life.apply_rules(stricter, after(days=20))
    life.judge_by_new_rules(after(days=20, seconds=3))
    assert row_summaries(recorded(causes=["rule_change"])) == summaries(changes)
    life.judge_by_new_rules(after(days=20, seconds=4))
    assert len(recorded(causes=["rule_change"])) == len(changes)

    life.apply_rules(RULES, after(days=20, seconds=5))
    life.judge_by_new_rules(after(days=20, seconds=6))
    assert statuses() == before


def test_an_edit_of_one_flag_leaves_the_state_of_the_others() -> None:
    life = Life()
    life.live(life.random_events(seed=2, number=COMPANIES // 2, days=20), until=after(days=20))
    with transaction():
        kept = {
            (state.company_id, state.flag): state
            for states in flag_states.list_for_companies(
                life.id, companies.list_ids(life.id)
            ).values()
            for state in states
            if state.flag in ("Reports", "Users")
        }
    assert kept
    edited = RULES.replace("company.nps below 4", "company.nps below 5")
    life.apply_rules(edited, after(days=20))
    life.judge_by_new_rules(after(days=20))
    with transaction():
        for (company_id, flag), state in kept.items():
            [now] = [s for s in flag_states.list_for_company(life.id, company_id) if s.flag == flag]
            assert now == state


def test_forecast_changes_happen_and_no_others() -> None:
    life = Life()
    life.live(life.random_events(seed=3, number=COMPANIES, days=20), until=after(days=20))
    recorded_before = len(recorded())
    with transaction():
        due = flag_states.find_due_companies(life.id, until=after(days=27))
        forecasts = forecast(life.id, due, life.rules_version, after(days=20), after(days=27))
        changes = [change for company in forecasts for change in company]
    assert len(changes) > 10
    assert len(recorded()) == recorded_before
    life.pass_time(after(days=27))
    happened = [row for row in recorded() if row["at"] > after(days=20)]
    assert row_summaries(happened) == summaries(changes)


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(RULES, id="every kind"),
        pytest.param(USAGE_DROP, id="usage drop", marks=pytest.mark.thorough),
    ],
)
def test_a_backtest_returns_the_transitions_that_live_evaluation_recorded(
    settings: Settings, rules: str
) -> None:
    life = Life(rules)
    book = read_rules(rules)
    keys = [key for key, setting in book.events.items() if setting.enabled]
    events = [
        event(
            life.id,
            sent.company_id,
            keys[number % len(keys)],
            sent.occurred_at,
            user=sent.user_id,
            data=sent.data,
            company={key: sent.company[key] for key in ("plan", "nps") if key in sent.company},
        )
        for number, sent in enumerate(life.random_events(seed=4, number=COMPANIES, days=40))
    ]
    life.live(events, until=after(days=40))
    with transaction():
        ids = companies.list_ids(life.id)
    chunks = backtest(settings, life.id, ids, [book], ReplayPeriod(after(days=-50), after(days=40)))
    replayed = sorted(
        (
            company.company,
            transition.at,
            transition.before,
            transition.after,
            [
                (step.flag, book.status_name(step.before), book.status_name(step.after))
                for step in transition.changes
            ],
        )
        for chunk in chunks
        for company in chunk
        for transition in company.replays[0].transitions
    )
    assert len(replayed) > 20
    assert replayed == row_summaries(recorded())
    if rules == RULES:
        check_a_backtest_from_the_middle(settings, life)


def check_a_backtest_from_the_middle(settings: Settings, life: Life) -> None:
    """A backtest that starts in the middle returns the same from there on."""
    with transaction():
        ids = companies.list_ids(life.id)
    book = read_rules(RULES.replace("    recover: at least 6 times in 7 days\n", ""))
    whole, half = (
        {
            (company.company, t.at, t.before, t.after)
            for chunk in backtest(
                settings, life.id, ids, [book], ReplayPeriod(since, after(days=40))
            )
            for company in chunk
            for t in company.replays[0].transitions
            if t.at > after(days=25)
        }
        for since in (after(days=-1), after(days=25))
    )
    assert half == whole
    assert half


@pytest.mark.thorough
def test_500_crossings_evaluated_an_hour_late_are_each_recorded_at_their_instant(
    settings: Settings,
) -> None:
    life = Life(
        "version: 1\nevents: {login: }\nflags:\n  - flag: Quiet\n    event: login\n"
        "    when:\n      At Risk: less than 1 time in 1 day\n"
        "      Critical: less than 1 time in 90000 seconds\n"
    )
    with transaction():
        webhook_endpoints.add(life.id, "https://example.com/hook", secret_keys=settings.secret_keys)
    seen = {f"c{n}": after(seconds=7 * n) for n in range(250)}
    life.live(
        [event(life.id, company, "login", at) for company, at in seen.items()],
        until=after(hours=23),
    )
    restarted = after(days=1, hours=2)
    with transaction():
        due = find_due_companies(FLAGS, until=restarted, limit=1_000)
    assert len(due) == 250
    for company in reversed(due):
        evaluate([company.company_id], life.rulebooks, restarted)
    assert [(row["id"], row["at"], row["to_status"]) for row in recorded()] == [
        crossing
        for company, at in sorted(seen.items())
        for crossing in (
            (company, at + timedelta(days=1), "At Risk"),
            (company, at + timedelta(seconds=90_000), "Critical"),
        )
    ]
    with transaction():
        waiting = query(
            "select t.company_id, t.sequence from deliveries d"
            " join transitions t on t.id = d.transition_id"
            " where d.state = 'waiting' order by t.company_id, d.id"
        )
    assert len(waiting) == 500
    assert [row["sequence"] for row in waiting] == [1, 2] * 250
