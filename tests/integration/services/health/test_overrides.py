"""Snoozes and overrides in PostgreSQL, and the transitions that are recorded."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from config.settings import Settings
from models.across_organizations import OVERRIDES, find_due_companies
from models.database import execute, query, transaction
from models.webhooks import webhook_endpoints
from services.health.overrides import OverrideResult, end, override
from tests.support.overrides import AT_FIRST, JUSTIFICATION, Tenant
from tests.support.world import RULES

pytestmark = pytest.mark.usefixtures("settings")


def payloads() -> list[dict[str, Any]]:
    with transaction():
        return [
            json.loads(r["payload"]) for r in query("select payload from deliveries order by id")
        ]


def test_a_snooze_is_recorded_at_its_start_and_its_end_and_nothing_of_the_flag_between(
    tenant: Tenant,
) -> None:
    tenant.snooze(5, until=30)
    assert tenant.company().health_status == "Healthy"
    assert tenant.company().score == 100
    tenant.track("acme", 8, 9)
    tenant.judge("acme", 9)
    tenant.judge("acme", 20)
    assert tenant.crossings() == [AT_FIRST, (5, "Healthy", "override")]
    tenant.judge("acme", 30)
    assert tenant.crossings()[2:] == [(30, "At Risk", "override")]
    assert tenant.company().score == 75
    [snoozed] = tenant.overrides()
    assert (snoozed.starts_at, snoozed.ended_at, snoozed.ended_by) == (
        tenant.at(5),
        tenant.at(30),
        "time",
    )
    assert (snoozed.reason, snoozed.owner, snoozed.made_by) == (
        JUSTIFICATION.reason,
        JUSTIFICATION.owner,
        "ben",
    )


def test_an_override_without_an_end_counts_until_a_person_ends_it(tenant: Tenant) -> None:
    tenant.override(5, "Critical")
    tenant.judge("acme", 5_000)
    assert (tenant.company().health_status, tenant.company().score) == ("Critical", 25)
    written = tenant.end(6_000)
    assert written.company.health_status == "At Risk"
    assert tenant.crossings() == [
        AT_FIRST,
        (5, "Critical", "override"),
        (6_000, "At Risk", "override"),
    ]
    assert written.override == tenant.overrides()[0]
    ended = written.override
    assert (ended.ended_at, ended.ended_by, ended.ended_because) == (
        tenant.at(6_000),
        "cem",
        "ended by hand",
    )


def test_a_new_override_replaces_the_former_and_both_are_kept(tenant: Tenant) -> None:
    tenant.snooze(5, until=100)
    tenant.override(10, "Critical", until=20)
    tenant.judge("acme", 200)
    assert tenant.crossings() == [
        AT_FIRST,
        (5, "Healthy", "override"),
        (10, "Critical", "override"),
        (20, "At Risk", "override"),
    ]
    first, second = tenant.overrides()
    assert (first.ended_at, first.ended_by) == (tenant.at(10), "ben")
    assert first.ended_because == "replaced by another"
    assert (second.ended_at, second.ended_by) == (tenant.at(20), "time")


def test_each_change_by_an_override_sends_a_webhook(tenant: Tenant, settings: Settings) -> None:
    with transaction():
        webhook_endpoints.add(
            tenant.id, "https://example.com/hook", secret_keys=settings.secret_keys
        )
    written = tenant.override(5, "Critical", until=20)
    with transaction():
        waiting = query("select id from deliveries where state = 'waiting'")
    assert [row["id"] for row in waiting] == [each.delivery_id for each in written.deliveries]
    tenant.judge("acme", 20)
    began, ended = payloads()
    assert began == {
        "event": "health_score_changed",
        "id": began["id"],
        "sequence": 2,
        "cause": "override",
        "company": {
            "id": "acme",
            "name": "Acme Corp",
            "health_status": "Critical",
            "previous_status": "At Risk",
        },
        "timestamp": "2026-01-05T12:00:05.000Z",
        "triggers": [{"flag": "Logs in", "status": "Critical", "threshold": "Set by hand"}],
    }
    assert (ended["cause"], ended["timestamp"]) == ("override", "2026-01-05T12:00:20.000Z")
    assert ended["triggers"] == [
        {"flag": "Logs in", "status": "At Risk", "threshold": "Less than 2 times in 10 seconds"}
    ]


def test_a_late_evaluation_records_overrides_at_their_instants(tenant: Tenant) -> None:
    tenant.snooze(5, until=30)
    tenant.track("acme", 31, 32)
    tenant.override(33, "At Risk", until=40)
    tenant.judge("acme", 3_600)
    assert tenant.crossings() == [
        AT_FIRST,
        (5, "Healthy", "override"),
        (30, "At Risk", "override"),
        (32, "Healthy", "event"),
        (33, "At Risk", "override"),
        (40, "Healthy", "override"),
        (41, "At Risk", "time"),
    ]


def test_an_override_waits_for_events_to_be_stored_and_is_then_recorded_at_its_instant(
    tenant: Tenant,
) -> None:
    written = tenant.snooze(60, until=100, stored_until=50)
    assert not written.override.start_recorded
    assert tenant.crossings() == [AT_FIRST]
    with transaction():
        assert find_due_companies(OVERRIDES, until=tenant.at(59.9), limit=9) == []
        [due] = find_due_companies(OVERRIDES, until=tenant.at(60), limit=9)
        assert (due.company_id, due.due_at) == (tenant.company().id, tenant.at(60))
    tenant.track("acme", 55, 56)
    tenant.judge("acme", 200)
    assert tenant.crossings() == [
        AT_FIRST,
        (56, "Healthy", "event"),
        (100, "At Risk", "override"),
    ]
    with transaction():
        assert find_due_companies(OVERRIDES, until=tenant.at(10_000), limit=9) == []


def test_overrides_replaced_and_ended_before_they_could_be_recorded_are_recorded_in_order(
    tenant: Tenant,
) -> None:
    tenant.snooze(60, until=62, stored_until=50)
    with transaction():
        override(tenant.target(), "Critical", None, JUSTIFICATION, tenant.judging(63, 50))
    with transaction():
        end(tenant.target(), "cem", tenant.judging(65, 50))
    tenant.judge("acme", 200)
    assert tenant.crossings() == [
        AT_FIRST,
        (60, "Healthy", "override"),
        (62, "At Risk", "override"),
        (63, "Critical", "override"),
        (65, "At Risk", "override"),
    ]
    first, second = tenant.overrides()
    assert (first.ended_at, first.ended_by) == (tenant.at(62), "time")
    assert (second.ended_at, second.ended_by) == (tenant.at(65), "cem")


def test_of_overrides_by_four_people_at_once_one_is_in_force_and_the_others_are_replaced(
    tenant: Tenant,
) -> None:
    start = threading.Barrier(4)

    def work(number: int) -> OverrideResult:
        start.wait(5)
        return tenant.override(10 + number, "Critical")

    with ThreadPoolExecutor(4) as people:
        list(people.map(work, range(4)))
    overrides = tenant.overrides()
    ends = sorted(row.ended_at for row in overrides if row.ended_at)
    assert len(ends) == len(overrides) - 1
    assert ends == sorted(row.starts_at for row in overrides)[1:]
    assert tenant.crossings() == [AT_FIRST, (tenant.crossings()[1][0], "Critical", "override")]


def test_nothing_is_written_if_the_transition_cannot_be_recorded(tenant: Tenant) -> None:
    with transaction():
        execute("alter table transitions add constraint fails check (false) not valid")
    with pytest.raises(Exception, match="fails"):
        tenant.snooze(5, until=30)
    assert tenant.overrides() == []


def test_the_same_flag_of_another_organization_is_not_affected(tenant: Tenant) -> None:
    other = Tenant("other")
    tenant.snooze(5, until=30)
    assert other.company().health_status == "At Risk"
    assert other.overrides() == []


def test_an_override_ends_with_a_reason_when_new_rules_remove_its_flag(tenant: Tenant) -> None:
    tenant.override(5, "Critical")
    tenant.apply_rules(RULES.replace("flag: Logs in", "flag: Comes by"), 8)
    tenant.judge("acme", 9)
    [ended] = tenant.overrides()
    assert (ended.ended_at, ended.ended_by) == (tenant.at(8), "rules")
    assert ended.ended_because == "version 2 of the rules does not have the flag Logs in"
    assert tenant.crossings()[2:] == [(8, "At Risk", "rule_change")]


def test_an_override_ends_when_new_rules_remove_its_status_but_not_when_they_move_it(
    tenant: Tenant,
) -> None:
    tenant.override(5, "At Risk")
    tenant.override(5, "Critical", flag="Reports")
    renamed = RULES.replace("At Risk", "Watch")
    tenant.apply_rules(renamed.replace("[Healthy, Watch", "[Healthy, Soso, Watch"), 8)
    tenant.judge("acme", 9)
    ended, kept = sorted(tenant.overrides(), key=lambda row: row.flag)
    assert (ended.ended_at, ended.ended_by) == (tenant.at(8), "rules")
    assert ended.ended_because == "version 2 of the rules does not have the status At Risk"
    assert kept.ended_at is None
    assert tenant.company().health_status == "Critical"
    assert tenant.crossings() == [
        AT_FIRST,
        (5, "Critical", "override"),
        (8, "Critical", "rule_change"),
    ]
