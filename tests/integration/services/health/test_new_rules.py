"""Evaluating companies by new versions of the rules."""

import pytest

from config.settings import Settings
from tests.support.evaluations import FEW_LOGINS
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("settings")


def test_a_change_by_new_rules_is_recorded_at_the_instant_at_which_they_took_effect() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 10, 11)
    world.judge("acme", 11)
    world.apply_rules(FEW_LOGINS.replace("less than 2", "less than 5"), 15)
    world.judge("acme", 16)
    last = world.transitions()[-1]
    assert (last.at, last.to_status, last.cause) == (world.at(15), "At Risk", "rule_change")
    assert last.rules_version == 2
    assert world.company().judged_version == 2


def test_transitions_by_the_old_rules_are_recorded_though_evaluated_afterwards() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 0, 1)
    world.judge("acme", 1)
    world.apply_rules(FEW_LOGINS.replace("less than 2", "less than 1"), 10.5)
    world.judge("acme", 60)
    recorded = [
        (world.seconds(t.at), t.to_status, t.cause, t.rules_version) for t in world.transitions()
    ]
    assert recorded == [
        (0, "At Risk", "event", 1),
        (1, "Healthy", "event", 1),
        (10, "At Risk", "time", 1),
        (10.5, "Healthy", "rule_change", 2),
        (11, "At Risk", "time", 2),
    ]


def test_a_flag_removed_from_the_rules_no_longer_counts(settings: Settings) -> None:
    world = World.create(FEW_LOGINS)
    world.subscribe(settings)
    world.track("acme", 0)
    world.judge("acme", 0)
    world.apply_rules("version: 1\nevents: {login: }\n", 5)
    world.judge("acme", 5)
    assert world.crossings()[-1] == (5, "Healthy", "rule_change")
    assert world.payloads()[-1]["triggers"] == [
        {
            "flag": "Logs in",
            "status": "N/A",
            "threshold": "The flag was removed from the rules",
        }
    ]
    assert world.rows("select flag from flag_states") == []


def test_rules_with_the_same_result_change_only_the_version() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 0)
    world.judge("acme", 0)
    world.apply_rules(FEW_LOGINS + "# a comment\n", 5)
    world.judge("acme", 5)
    assert world.crossings() == [(0, "At Risk", "event")]
    assert world.company().judged_version == 2


def test_the_first_rules_apply_from_the_instant_at_which_they_took_effect() -> None:
    world = World.create(None)
    world.track("acme", 0, 1, 30, 31, 60)
    world.apply_rules(FEW_LOGINS, 100)
    world.judge("acme", 100.5)
    assert world.crossings() == [(100, "At Risk", "rule_change")]


def test_a_company_is_judged_by_the_old_rules_until_the_new_ones_took_effect() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 0)
    world.apply_rules(FEW_LOGINS.replace("less than 2", "less than 1"), 5)
    world.judge("acme", 6)
    assert world.crossings() == [(0, "At Risk", "event"), (5, "Healthy", "rule_change")]


def test_new_rules_judge_nothing_past_the_oldest_event_that_is_not_stored() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 0, 1)
    world.judge("acme", 1)
    before = world.crossings()
    world.apply_rules(FEW_LOGINS.replace("10 seconds", "11 seconds"), 40)
    world.judge("acme", 41, stored_until=4)
    assert world.crossings() == before
    assert world.company().judged_version == 1
    world.track("acme", *range(5, 41))
    world.judge("acme", 42)
    assert world.crossings() == before
    assert world.company().judged_version == 2


def test_an_added_status_leaves_flags_unchanged() -> None:
    rules = FEW_LOGINS.replace("events:", "statuses: [Healthy, At Risk]\nevents:")
    rules += "    recover: at least 5 times in 10 seconds\n"
    world = World.create(rules)
    world.track("acme", 0)
    world.judge("acme", 0)
    for second in range(40, 100, 4):
        world.track("acme", second)
        world.judge("acme", second)
    before = world.crossings()
    assert before == [(0, "At Risk", "event")]
    world.apply_rules(rules.replace("At Risk]", "At Risk, Lost]"), 100)
    world.judge("acme", 101)
    assert world.crossings() == before
    assert world.company().judged_version == 2
