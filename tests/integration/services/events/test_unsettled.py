"""Which companies an event marks to be evaluated."""

from typing import Any

import pytest

from models.companies import companies
from models.database import transaction
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks, RulesUnreadable
from tests.support.in_transactions import evaluate, store
from tests.support.intake import after, event, new_organization, rows

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


def judge(company_id: int, at: float) -> None:
    evaluate([company_id], RuleBooks(), after(at))


def status(organization_id: int) -> str:
    with transaction():
        company = companies.find(organization_id, "acme")
    assert company is not None
    return company.health_status


def test_a_new_company_is_to_be_judged() -> None:
    [company_id] = store([event(new_organization(rules=FEW_LOGINS), 1)], RuleBooks())
    assert rows("select id, unsettled_since from companies") == [
        {"id": company_id, "unsettled_since": after(1)}
    ]


def test_events_under_rules_that_cannot_be_read_are_stored_and_judged_once_they_can() -> None:
    """As by a newer reader, which is stricter than the one that took them."""
    unreadable, other = new_organization("u", FEW_LOGINS), new_organization("o", FEW_LOGINS)
    rows(f"update rule_versions set source = 'flags: [' where organization_id = {unreadable}")
    stored = store([event(unreadable, 1, data=WEB), event(other, 1, data=WEB)], RuleBooks())
    assert len(stored) == 2
    assert status(unreadable) == "Healthy"
    with pytest.raises(RulesUnreadable, match="cannot be read"):
        judge(stored[0], 1)
    rows(f"update rule_versions set source = $${FEW_LOGINS}$$ where organization_id = {unreadable}")
    for company_id in stored:
        judge(company_id, 1)
    assert status(unreadable) == status(other) == "At Risk"


def test_without_rules_nobody_is_to_be_judged() -> None:
    assert store([event(new_organization())], RuleBooks()) == []


def test_a_healthy_busy_company_under_a_less_than_rule_is_not_judged_for_each_event() -> None:
    organization_id = new_organization(rules=FEW_LOGINS)
    [company_id] = store([event(organization_id, s, data=WEB) for s in (0, 1)], RuleBooks())
    judge(company_id, 1)
    assert status(organization_id) == "Healthy"
    for seconds in range(2, 9):
        assert store([event(organization_id, seconds, data=WEB)], RuleBooks()) == []
    assert rows("select unsettled_since from companies") == [{"unsettled_since": None}]


def at_risk_for_few_logins() -> int:
    organization_id = new_organization(rules=FEW_LOGINS)
    [company_id] = store([event(organization_id, 0, data=WEB)], RuleBooks())
    judge(company_id, 0)
    assert status(organization_id) == "At Risk"
    return organization_id


def test_an_event_that_may_lower_a_raised_flag_has_its_company_judged() -> None:
    organization_id = at_risk_for_few_logins()
    assert len(store([event(organization_id, 5, data=WEB)], RuleBooks())) == 1
    assert rows("select unsettled_since from companies") == [{"unsettled_since": after(5)}]


@pytest.mark.parametrize(
    "other",
    [
        {"event_key": "logout"},
        {"data": {"source": "mobile"}},
        {"data": {}},
        {"data": None},
        {"data": {"source": ["web"]}},
    ],
)
def test_an_event_that_no_flag_counts_has_nobody_judged(other: dict[str, Any]) -> None:
    organization_id = at_risk_for_few_logins()
    assert store([event(organization_id, 5, **other)], RuleBooks()) == []


def test_under_an_at_least_rule_an_event_matters_until_the_flag_is_raised() -> None:
    organization_id = new_organization(rules=MANY_ERRORS)
    [company_id] = store([event(organization_id, 0, event_key="error")], RuleBooks())
    judge(company_id, 0)
    assert status(organization_id) == "Healthy"
    assert store([event(organization_id, 1, event_key="error")], RuleBooks()) == [company_id]
    judge(company_id, 1)
    assert status(organization_id) == "At Risk"
    assert store([event(organization_id, 2, event_key="error")], RuleBooks()) == []


def test_a_repeated_message_asks_for_no_further_judgement() -> None:
    organization_id = at_risk_for_few_logins()
    sent = event(organization_id, 5, data=WEB)
    [company_id] = store([sent], RuleBooks())
    judge(company_id, 5)
    assert store([sent], RuleBooks()) == []


def test_a_judgement_that_is_owed_is_asked_for_once() -> None:
    organization_id = at_risk_for_few_logins()
    first, second, third = (event(organization_id, at, data=WEB) for at in (5, 16, 17))
    [company_id] = store([first], RuleBooks())
    assert store([first], RuleBooks()) == store([second], RuleBooks()) == []
    judge(company_id, 16)
    assert store([third], RuleBooks()) == [company_id]


def test_of_several_events_not_yet_judged_the_earliest_is_noted() -> None:
    organization_id = at_risk_for_few_logins()
    for seconds in (7, 5, 6):
        store([event(organization_id, seconds, data=WEB)], RuleBooks())
    assert rows("select unsettled_since from companies") == [{"unsettled_since": after(5)}]


def test_an_event_of_the_past_takes_effect_only_when_it_is_received() -> None:
    organization_id = at_risk_for_few_logins()
    store([event(organization_id, 5, data=WEB, received_at=after(5 + 61))], RuleBooks())
    assert rows("select unsettled_since from companies") == [{"unsettled_since": after(66)}]


def test_after_new_rules_every_event_has_its_company_judged_until_it_was_judged_by_them() -> None:
    organization_id = at_risk_for_few_logins()
    with transaction():
        apply_rules(
            organization_id, MANY_ERRORS, file="rules.yaml", applied_by="test", now=after(8)
        )
    [company_id] = store([event(organization_id, 9, event_key="logout")], RuleBooks())
    judge(company_id, 9)
    assert store([event(organization_id, 10, event_key="logout")], RuleBooks()) == []
