"""Which companies an event marks to be evaluated."""

from typing import Any

import pytest

from services.rules.rule_books import RuleBooks, RulesUnreadable
from tests.support.in_transactions import evaluate, store
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("settings")


FEW_LOGINS = """
version: 1
events: {login: , report: , logout: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 2 times in 10 seconds}
    where: {data.source: web}
"""

MANY_ERRORS = """
version: 1
events: {error: }
flags:
  - flag: Errors
    event: error
    when: {At Risk: at least 2 times in 10 seconds}
"""

WEB = {"source": "web"}


def test_a_new_company_is_marked() -> None:
    world = World.create(FEW_LOGINS)
    [company_id] = world.track("acme", 1)
    assert world.rows("select id, unsettled_since from companies") == [
        {"id": company_id, "unsettled_since": world.at(1)}
    ]


def test_events_under_unreadable_rules_are_stored_and_judged_once_the_rules_can_be_read() -> None:
    """A newer reader may be stricter than the one that accepted the rules."""
    unreadable, other = World.create(FEW_LOGINS), World.create(FEW_LOGINS)
    unreadable.rows("update rule_versions set source = 'flags: [' where organization_id = %(id)s")
    events = [world.event("acme", 1, data=WEB) for world in (unreadable, other)]
    to_evaluate = store(events, RuleBooks())
    assert len(to_evaluate) == 2
    assert unreadable.status() == "Healthy"
    with pytest.raises(RulesUnreadable, match="cannot be read"):
        evaluate(unreadable.company_ids(), RuleBooks(), unreadable.at(1))
    unreadable.rows(
        "update rule_versions set source = %(source)s where organization_id = %(id)s",
        source=FEW_LOGINS,
    )
    evaluate(unreadable.company_ids(), RuleBooks(), unreadable.at(1))
    other.judge("acme", 1)
    assert unreadable.status() == other.status() == "At Risk"


def test_without_rules_no_company_is_marked() -> None:
    assert World.create(None).track("acme", 0) == []


def test_events_of_a_healthy_company_under_a_less_than_rule_do_not_mark_it() -> None:
    world = World.create(FEW_LOGINS)
    [_] = world.track("acme", 0, 1, data=WEB)
    world.judge("acme", 1)
    assert world.status() == "Healthy"
    for seconds in range(2, 9):
        assert world.track("acme", seconds, data=WEB) == []
    assert world.rows("select unsettled_since from companies") == [{"unsettled_since": None}]


def at_risk_for_few_logins() -> World:
    world = World.create(FEW_LOGINS)
    [_] = world.track("acme", 0, data=WEB)
    world.judge("acme", 0)
    assert world.status() == "At Risk"
    return world


def test_an_event_that_may_lower_a_raised_flag_marks_its_company() -> None:
    world = at_risk_for_few_logins()
    assert len(world.track("acme", 5, data=WEB)) == 1
    assert world.rows("select unsettled_since from companies") == [{"unsettled_since": world.at(5)}]


@pytest.mark.parametrize(
    "other",
    [
        {"key": "logout"},
        {"data": {"source": "mobile"}},
        {"data": {}},
        {"data": None},
        {"data": {"source": ["web"]}},
    ],
)
def test_an_event_that_no_flag_counts_marks_no_company(other: dict[str, Any]) -> None:
    world = at_risk_for_few_logins()
    assert world.track("acme", 5, **other) == []


def test_under_an_at_least_rule_an_event_matters_until_the_flag_is_raised() -> None:
    world = World.create(MANY_ERRORS)
    [company_id] = world.track("acme", 0, key="error")
    world.judge("acme", 0)
    assert world.status() == "Healthy"
    assert world.track("acme", 1, key="error") == [company_id]
    world.judge("acme", 1)
    assert world.status() == "At Risk"
    assert world.track("acme", 2, key="error") == []


def test_a_repeated_message_marks_no_company_again() -> None:
    world = at_risk_for_few_logins()
    sent = world.event("acme", 5, data=WEB)
    [_] = world.store(sent)
    world.judge("acme", 5)
    assert world.store(sent) == []


def test_a_company_that_is_already_unsettled_is_not_returned_again() -> None:
    world = at_risk_for_few_logins()
    first, second, third = (world.event("acme", at, data=WEB) for at in (5, 16, 17))
    [company_id] = world.store(first)
    assert world.store(first) == world.store(second) == []
    world.judge("acme", 16)
    assert world.store(third) == [company_id]


def test_a_company_is_unsettled_since_the_earliest_event_that_is_not_judged() -> None:
    world = at_risk_for_few_logins()
    for seconds in (7, 5, 6):
        world.track("acme", seconds, data=WEB)
    assert world.rows("select unsettled_since from companies") == [{"unsettled_since": world.at(5)}]


def test_a_late_event_takes_effect_when_it_is_received() -> None:
    world = at_risk_for_few_logins()
    world.track("acme", 5, data=WEB, received=5 + 61)
    assert world.rows("select unsettled_since from companies") == [
        {"unsettled_since": world.at(66)}
    ]


def test_after_new_rules_every_event_marks_its_company_until_it_is_evaluated() -> None:
    world = at_risk_for_few_logins()
    world.apply_rules(MANY_ERRORS, 8)
    [_] = world.track("acme", 9, key="logout")
    world.judge("acme", 9)
    assert world.track("acme", 10, key="logout") == []
