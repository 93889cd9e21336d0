"""Overrides in explanations, forecasts, plans and backtests."""

import pytest

from config.settings import Settings
from models.database import query, transaction
from models.health import flag_overrides
from rules.file.rule_file import read_rules
from services.rules.backtest import ReplayPeriod, backtest
from services.rules.plan import plan
from tests.support.overrides import Tenant
from tests.support.world import RULES, START

pytestmark = pytest.mark.usefixtures("settings")


def test_an_explanation_has_the_judged_flag_its_override_and_the_resulting_status(
    tenant: Tenant,
) -> None:
    tenant.snooze(5, until=30)
    explanation = tenant.explain(6)
    assert (explanation.status, explanation.score) == ("Healthy", 100)
    logs_in, reports = explanation.flags
    assert (logs_in.status, logs_in.threshold) == ("At Risk", "Less than 2 times in 10 seconds")
    assert logs_in.override == tenant.overrides()[0]
    assert reports.override is None
    assert tenant.explain(30).status == "At Risk"
    assert tenant.explain(30).flags[0].override is None


def test_an_explanation_has_the_time_at_which_a_snoozed_flag_itself_changes(tenant: Tenant) -> None:
    tenant.track("acme", 1)
    tenant.snooze(5, until=30)
    [logs_in, _] = tenant.explain(6).flags
    assert (logs_in.changes_at, logs_in.changes_to) == (tenant.at(10), "At Risk")


def test_the_end_of_an_override_is_forecast_if_it_changes_the_status_and_happens_as_forecast(
    tenant: Tenant,
) -> None:
    tenant.track("acme", 1)
    tenant.snooze(5, until=30)
    [upcoming] = tenant.forecast(6, until=1_000)
    assert (upcoming.at, upcoming.before, upcoming.after) == (tenant.at(30), "Healthy", "At Risk")
    [step] = upcoming.flags
    assert (step.before, step.after) == ("N/A", "At Risk")
    assert step.description == "Logs in: At Risk (Less than 2 times in 10 seconds)"
    assert tenant.forecast(6, until=29) == []
    tenant.judge("acme", 1_000)
    assert tenant.crossings()[-1] == (30, "At Risk", "override")


def test_an_end_that_changes_nothing_is_not_forecast(tenant: Tenant) -> None:
    tenant.override(5, "At Risk", until=30)
    assert tenant.forecast(6, until=1_000) == []


def test_a_plan_respects_overrides(tenant: Tenant) -> None:
    tenant.snooze(5, until=300)

    def planned(rules: str) -> list[tuple[str, str]]:
        with transaction():
            changes = plan(tenant.id, tenant.rules_version, read_rules(rules), tenant.at(6))
            return [(change.before, change.after) for change in changes if change is not None]

    assert planned(RULES.replace("less than 2", "less than 9")) == []
    renamed = RULES.replace("flag: Logs in", "flag: Comes by")
    assert planned(renamed) == [("Healthy", "At Risk")]
    tenant.apply_rules(renamed, 6)
    tenant.judge("acme", 6)
    assert tenant.crossings()[-1] == (6, "At Risk", "rule_change")


def test_a_backtest_replays_flags_as_they_are_judged(tenant: Tenant, settings: Settings) -> None:
    tenant.snooze(5, until=30)
    tenant.judge("acme", 60)
    period = ReplayPeriod(tenant.at(-1), tenant.at(60))
    [[replayed]] = backtest(settings, tenant.id, [tenant.company().id], [read_rules(RULES)], period)
    assert [(t.at, t.after) for t in replayed.replays[0].transitions] == [(START, "At Risk")]
    with transaction():
        counts = [
            flag_overrides.count_between(tenant.id, since=tenant.at(since), until=tenant.at(until))
            for since, until in ((-1, 60), (-1, 4), (30, 60), (29, 60))
        ]
    assert counts == [1, 0, 0, 1]


def test_due_overrides_are_found_by_their_index(tenant: Tenant) -> None:
    with transaction():
        query(
            "insert into flag_overrides (organization_id, company_id, flag, kind, reason, owner,"
            " made_by, starts_at, ends_at, ended_at, start_recorded, end_recorded)"
            " select %(o)s, %(c)s, 'f' || n, 'snooze', 'r', 'o', 'm', now(), now(), now(), true,"
            " n %% 100 > 0 from generate_series(1, 20000) n",
            {"o": tenant.id, "c": tenant.company().id},
        )
        query("analyze flag_overrides")
        due = query(
            "explain select company_id, due_at from flag_overrides where due_at <= now()"
            " order by due_at limit 500"
        )
        open_ones = query(
            "explain select id from flag_overrides where organization_id = 1"
            " and company_id = any(array[1]) and not end_recorded"
        )
    assert any("flag_overrides_due" in row["QUERY PLAN"] for row in due)
    assert any("flag_overrides_to_record" in row["QUERY PLAN"] for row in open_ones)
