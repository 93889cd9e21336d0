"""Snoozes and overrides in a history that is rewritten."""

import pytest

from config.settings import Settings
from models.database import transaction
from models.webhooks import webhook_endpoints
from tests.support.imports.histories import import_past, past
from tests.support.overrides import Tenant
from tests.support.world import RULES

pytestmark = pytest.mark.usefixtures("settings")


def test_overrides_take_part_in_the_history_as_they_did(tenant: Tenant) -> None:
    tenant.snooze(5, until=30)
    tenant.override(40, "Critical")
    tenant.end(50)
    tenant.judge("acme", 60)
    made = tenant.overrides()
    import_past(tenant, [tenant.event(at=at) for at in (-30, 41, 42)], 70)
    assert [crossing[:2] for crossing in tenant.crossings()] == [
        (-30, "At Risk"), (5, "Healthy"), (30, "At Risk"), (40, "Critical"), (50, "Healthy"),
        (51, "At Risk"),
    ]  # fmt: skip
    assert tenant.overrides() == made


def test_an_override_in_force_stays_in_force_and_its_end_is_announced(
    tenant: Tenant, settings: Settings
) -> None:
    with transaction():
        webhook_endpoints.add(
            tenant.id, "https://example.com/hook", secret_keys=settings.secret_keys
        )
    tenant.snooze(5, until=100)
    sent = len(tenant.payloads())
    import_past(tenant, [tenant.event(at=-30)], 70)
    assert tenant.company().health_status == "Healthy"
    assert len(tenant.payloads()) == sent
    tenant.judge("acme", 100)
    assert tenant.crossings()[-1] == (100, "At Risk", "override")
    assert len(tenant.payloads()) == sent + 1


def test_an_override_that_is_made_while_a_history_waits_is_recorded_with_it(
    tenant: Tenant,
) -> None:
    tenant.store(*past(tenant, tenant.event(at=-30), at=70))
    written = tenant.snooze(71, until=100)
    assert not written.override.start_recorded
    tenant.judge("acme", 80)
    assert tenant.crossings() == [(-30, "At Risk", "import"), (71, "Healthy", "override")]
    [snoozed] = tenant.overrides()
    assert snoozed.start_recorded
    tenant.judge("acme", 100)
    assert tenant.crossings()[-1] == (100, "At Risk", "override")


def test_rules_that_ended_an_override_end_it_at_the_same_instant_again(tenant: Tenant) -> None:
    rules = RULES.replace("flag: Logs in", "flag: Comes by")
    tenant.override(5, "Critical")
    tenant.apply_rules(rules, 8)
    tenant.judge("acme", 9)
    before, made = tenant.crossings(), tenant.overrides()
    import_past(tenant, [tenant.event(at=-30)], 70)
    assert [c[:2] for c in tenant.crossings()][1:] == [c[:2] for c in before][1:]
    assert tenant.overrides() == made
