"""The webhook deliveries that a transition writes."""

import pytest

from config.settings import Settings
from models.database import execute, transaction
from models.webhooks import webhook_endpoints
from tests.support.evaluations import FEW_LOGINS
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("settings")


def test_exactly_the_endpoints_of_the_organization_get_a_delivery(
    settings: Settings,
) -> None:
    ours, theirs = World.create(FEW_LOGINS), World.create(FEW_LOGINS)
    endpoints = {ours.subscribe(settings), ours.subscribe(settings)}
    removed = ours.subscribe(settings)
    theirs.subscribe(settings)
    with transaction():
        webhook_endpoints.remove(ours.id, removed)
    ours.track("acme", 0)
    ours.judge("acme", 0)
    written = ours.rows("select organization_id, endpoint_id, state from deliveries")
    assert {row["endpoint_id"] for row in written} == endpoints
    assert {row["organization_id"] for row in written} == {ours.id}
    assert {row["state"] for row in written} == {"waiting"}


def test_a_transition_is_recorded_even_without_endpoints() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 0)
    assert world.judge("acme", 0) == []
    assert len(world.transitions()) == 1


def test_a_webhook_describes_its_transition(settings: Settings) -> None:
    world = World.create(FEW_LOGINS)
    world.subscribe(settings)
    world.track("acme corp", 0.25)
    world.judge("acme corp", 0.3)
    world.track("acme corp", 1.5)
    world.judge("acme corp", 1.6)
    raised, lowered = world.payloads()
    [first, second] = world.transitions("acme corp")
    assert raised == {
        "event": "health_score_changed",
        "id": f"msg_{first.id.hex}",
        "sequence": 1,
        "cause": "event",
        "company": {
            "id": "acme corp",
            "name": "Acme Corp",
            "health_status": "At Risk",
            "previous_status": "Healthy",
        },
        "timestamp": "2026-01-05T12:00:00.250Z",
        "triggers": [
            {
                "flag": "Logs in",
                "status": "At Risk",
                "threshold": "Less than 2 times in 10 seconds",
            }
        ],
    }
    assert lowered["id"] == f"msg_{second.id.hex}"
    assert lowered["sequence"] == 2
    assert lowered["company"]["previous_status"] == "At Risk"
    assert lowered["triggers"] == [
        {"flag": "Logs in", "status": "Healthy", "threshold": "Less than 2 times in 10 seconds"}
    ]


@pytest.mark.parametrize("table", ["transitions", "deliveries", "flag_states"])
def test_transition_state_and_deliveries_are_stored_together_or_not_at_all(
    settings: Settings, table: str
) -> None:
    world = World.create(FEW_LOGINS)
    world.subscribe(settings)
    world.track("acme", 0)
    before = world.rows("select * from companies")
    with transaction():
        execute(f"alter table {table} add constraint fails check (false)")

    with pytest.raises(Exception, match="fails"):
        world.judge("acme", 60)

    assert world.rows("select * from companies") == before
    for empty in ("transitions", "deliveries", "flag_states"):
        assert world.rows(f"select 1 from {empty}") == []
    with transaction():
        execute(f"alter table {table} drop constraint fails")
    assert len(world.judge("acme", 60)) == 1
    assert [t.sequence for t in world.transitions()] == [1]
