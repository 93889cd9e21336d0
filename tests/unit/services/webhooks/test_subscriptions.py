from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from models.companies.companies import CORE_FIELDS, Company
from models.companies.fields.field_merge import Traits
from models.health.transitions import StoredTransition
from models.webhooks.webhook_endpoints import Subscription
from services.webhooks.subscriptions import matches

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)

FIELDS: dict[str, Any] = {
    "plan": "Pro",
    "seats": 50,
    "trial": True,
    "limits": {"region": "eu-west"},
    "tags": ["a"],
    "empty": "",
    "unknown": None,
}


def transition(before: str = "Healthy", after: str = "At Risk") -> StoredTransition:
    return StoredTransition(
        id=UUID(int=1),
        organization_id=1,
        company_id=2,
        sequence=3,
        at=T0,
        from_status=before,
        to_status=after,
        cause="time",
        changes=[],
        rules_version=1,
        recorded_at=T0,
    )


def company(external_id: str = "acme", **core: str) -> Company:
    return Company(
        id=2,
        organization_id=1,
        external_id=external_id,
        traits=Traits(dict.fromkeys(CORE_FIELDS) | {"name": "Acme"} | core, dict(FIELDS)),
        first_seen_at=T0,
        health_status="At Risk",
        previous_status="Healthy",
        changed_at=T0,
        recorded_until=T0,
        sequence=3,
        judged_version=1,
        unsettled_since=None,
        score=None,
        awaiting=[],
    )


STAYED = transition("At Risk", "At Risk")
CHANGED = transition()


@pytest.mark.parametrize("recorded", [CHANGED, STAYED])
def test_an_endpoint_without_filters_gets_every_transition(recorded: StoredTransition) -> None:
    assert matches(Subscription(), recorded, company())


@pytest.mark.parametrize(
    ("event_types", "recorded", "expected"),
    [
        (("health_score_changed",), CHANGED, True),
        (("health_score_changed",), STAYED, False),
        (("threshold_crossed",), CHANGED, False),
        (("threshold_crossed",), STAYED, True),
        (("health_score_changed", "threshold_crossed"), STAYED, True),
        ((), CHANGED, False),
    ],
)
def test_only_subscribed_types_of_events_match(
    event_types: tuple[str, ...], recorded: StoredTransition, *, expected: bool
) -> None:
    assert matches(Subscription(event_types=event_types), recorded, company()) is expected


@pytest.mark.parametrize(
    ("statuses", "recorded", "expected"),
    [
        (("At Risk",), CHANGED, True),
        (("At Risk",), STAYED, False),
        (("Healthy",), CHANGED, False),
        (("Healthy", "At Risk"), CHANGED, True),
        (("Healthy",), transition("At Risk", "Healthy"), True),
        ((), CHANGED, False),
    ],
)
def test_only_changes_to_a_subscribed_status_match(
    statuses: tuple[str, ...], recorded: StoredTransition, *, expected: bool
) -> None:
    assert matches(Subscription(statuses=statuses), recorded, company()) is expected


@pytest.mark.parametrize(
    ("companies", "expected"),
    [(("acme",), True), (("other", "acme"), True), (("other",), False), (("ACME",), False)],
)
def test_only_subscribed_companies_match_by_the_ids_of_the_client(
    companies: tuple[str, ...], *, expected: bool
) -> None:
    assert matches(Subscription(companies=companies), CHANGED, company()) is expected


@pytest.mark.parametrize(
    ("company_fields", "expected"),
    [
        ({}, True),
        ({"plan": ["Pro"]}, True),
        ({"plan": ["pro"]}, True),
        ({"plan": ["Free"]}, False),
        ({"plan": ["Free", "Pro"]}, True),
        ({"plan": []}, False),
        ({"seats": ["50"]}, True),
        ({"seats": ["50.0"]}, True),
        ({"seats": ["5"]}, False),
        ({"trial": ["true"]}, True),
        ({"trial": ["1"]}, False),
        ({"limits.region": ["eu-west"]}, True),
        ({"limits.region": ["us"]}, False),
        ({"limits.city": ["eu-west"]}, False),
        ({"plan.name": ["Pro"]}, False),
        ({"name": ["acme"]}, True),
        ({"empty": [""]}, True),
        ({"plan": ["Pro"], "seats": ["50"]}, True),
        ({"plan": ["Pro"], "seats": ["51"]}, False),
        ({"nowhere": ["None"]}, False),
        ({"nowhere": [""]}, False),
        ({"unknown": ["none"]}, False),
        ({"crm_provider": ["None"]}, False),
    ],
)
def test_each_field_of_the_filter_must_have_one_of_its_values(
    company_fields: dict[str, list[str]], *, expected: bool
) -> None:
    assert matches(Subscription(company_fields=company_fields), CHANGED, company()) is expected


def test_a_core_field_is_compared_like_any_other() -> None:
    hubspot = Subscription(company_fields={"crm_provider": ["hubspot"]})
    assert matches(hubspot, CHANGED, company(crm_provider="HubSpot"))
    assert not matches(hubspot, CHANGED, company(crm_provider="Salesforce"))


def test_every_filter_of_an_endpoint_must_match() -> None:
    both = Subscription(("health_score_changed",), ("At Risk",), ("acme",), {"plan": ["Pro"]})
    assert matches(both, CHANGED, company())
    assert not matches(both, STAYED, company())
    assert not matches(both, transition(after="Critical"), company())
    assert not matches(both, CHANGED, company("other"))
