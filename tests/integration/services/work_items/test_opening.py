"""Items are opened and closed with the flags that they are about."""

import pytest

from models.companies.pending_evaluation import find_outdated
from models.database import transaction
from tests.support.companies.work_items import item, items, open_items, raised_flags, set_state
from tests.support.imports.histories import import_past
from tests.support.overrides import Tenant
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("settings")

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 2 times in 10 seconds, Critical: less than 1 time in 20 seconds}
    note: Call them.
team: {owner: company.csm, value: company.arr}
"""


@pytest.fixture
def world() -> World:
    """A company whose flag is raised at first, and worse at 20 seconds."""
    world = World.create(RULES)
    world.track("acme", 0, csm="ann@example.com", arr=1200)
    world.judge("acme", 0)
    return world


def test_a_raised_flag_opens_an_item_with_the_note_of_its_rule(world: World) -> None:
    opened = item(world, "Logs in")
    assert (opened["status"], opened["state"], opened["next_step"]) == (
        "At Risk", "open", "Call them.",
    )  # fmt: skip
    assert (opened["raised_at"], opened["opened_at"]) == (world.at(0), world.at(0))
    assert (opened["owner"], opened["value"]) == ("ann@example.com", 1200)


def test_an_item_is_closed_by_recovery_and_the_next_one_is_another(world: World) -> None:
    world.track("acme", 1, 2)
    world.judge("acme", 2)
    closed = item(world, "Logs in")
    assert (closed["closed_at"], closed["closed_because"]) == (world.at(1), "recovery")
    world.judge("acme", 13)
    reopened = item(world, "Logs in")
    assert reopened["id"] != closed["id"]
    assert (reopened["raised_at"], reopened["opened_at"]) == (world.at(12 - 1), world.at(13))


def test_recovery_and_a_new_alarm_found_at_once_are_two_items(world: World) -> None:
    world.track("acme", 1)
    world.judge("acme", 15)
    first, second = items(world)
    assert (first["closed_at"], second["raised_at"]) == (world.at(1), world.at(10))
    assert second["closed_at"] is None


def test_a_flag_that_becomes_worse_keeps_its_item_and_reopens_a_done_one(world: World) -> None:
    set_state(world, "Logs in", "done")
    world.judge("acme", 15)
    assert item(world, "Logs in")["state"] == "done"
    world.judge("acme", 21)
    [worse] = items(world)
    assert (worse["state"], worse["status"]) == ("open", "Critical")
    assert (worse["worse_since"], worse["worse_from"]) == (world.at(20), "At Risk")
    assert world.rows(
        "select action, at, detail from work_item_changes where organization_id = %(id)s"
    ) == [
        {
            "action": "reopened",
            "at": world.at(20),
            "detail": {"from": "At Risk", "to": "Critical"},
        }
    ]


def test_a_flag_that_becomes_better_keeps_its_item_as_it_was(world: World) -> None:
    world.judge("acme", 21)
    set_state(world, "Logs in", "working")
    world.track("acme", 22)
    world.judge("acme", 22)
    [better] = items(world)
    assert (better["status"], better["state"], better["worse_since"]) == (
        "At Risk", "working", None,
    )  # fmt: skip


def test_the_item_of_an_overridden_flag_is_snoozed_until_then() -> None:
    tenant = Tenant("worklist")
    tenant.snooze(1, 5)
    assert item(tenant, "Logs in")["snoozed"]
    assert open_items(tenant) == raised_flags(tenant)
    tenant.judge("acme", 6)
    assert not item(tenant, "Logs in")["snoozed"]
    tenant.override(7, "Healthy", 9)
    assert item(tenant, "Logs in")["snoozed"]
    tenant.override(8, "Critical", None, flag="Reports")
    assert item(tenant, "Reports")["status"] == "Critical"
    tenant.judge("acme", 9)
    assert open_items(tenant) == raised_flags(tenant)


def test_rules_that_drop_a_flag_close_its_items_and_say_so(world: World) -> None:
    world.apply_rules(RULES.replace("flag: Logs in", "flag: Signs in"), 3)
    world.judge("acme", 4)
    former, new = items(world)
    assert (former["closed_at"], former["closed_because"]) == (world.at(3), "flag_removed")
    assert (new["flag"], new["closed_at"]) == ("Signs in", None)
    world.apply_rules(RULES.replace("less than 2", "less than 1"), 5)
    world.judge("acme", 6)
    assert open_items(world) == raised_flags(world) == set()


def test_a_renamed_status_renames_that_of_items(world: World) -> None:
    set_state(world, "Logs in", "done")
    world.apply_rules(RULES.replace("At Risk", "In Danger"), 3)
    world.judge("acme", 4)
    [renamed] = items(world)
    assert (renamed["status"], renamed["state"]) == ("In Danger", "done")


def test_an_import_rewrites_when_the_flag_of_an_item_was_raised(world: World) -> None:
    world.judge("acme", 15)
    set_state(world, "Logs in", "working")
    import_past(world, [world.event("acme", -5), world.event("acme", -4)], 16)
    [kept] = items(world)
    assert (kept["state"], kept["raised_at"]) == ("working", world.at(6))
    assert open_items(world) == raised_flags(world)


def test_flags_that_an_older_release_raised_get_their_items(world: World) -> None:
    world.rows("delete from work_items where organization_id = %(id)s returning id")
    world.rows(
        "update companies set evaluation_revision = 2 where organization_id = %(id)s returning id"
    )
    with transaction():
        assert find_outdated(world.id, world.rules_version, limit=9) == world.company_ids()
    world.judge("acme", 5)
    [opened] = items(world)
    assert (opened["raised_at"], opened["opened_at"]) == (world.at(0), world.at(5))
    with transaction():
        assert find_outdated(world.id, world.rules_version, limit=9) == []


def test_an_open_item_follows_the_owner_and_value_of_its_company(world: World) -> None:
    world.store(world.update("acme", 1, csm="ben@example.com", arr=None))
    changed = item(world, "Logs in")
    assert (changed["owner"], changed["value"]) == ("ben@example.com", None)
    world.track("acme", 2, csm="cem@example.com")
    world.judge("acme", 2)
    world.store(world.update("acme", 3, csm="dan@example.com"))
    assert item(world, "Logs in")["owner"] == "cem@example.com"
