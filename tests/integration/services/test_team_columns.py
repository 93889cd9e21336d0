"""The owner, value, renewal and raised flags of companies, which lists show."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from models.companies.company_list import ListedCompany, read_page
from models.database import transaction
from tests.support.overrides import Tenant
from tests.support.world import RULES, World

pytestmark = pytest.mark.usefixtures("settings")

TEAM = "team: {owner: company.csm, value: company.arr, renewal: company.renews}\n"

FIELDS = {"csm": "Ann", "arr": 1200.5, "renews": "2026-05-01", "deputy": "Ben"}

ANN = ("Ann", Decimal("1200.50"), date(2026, 5, 1))


def listed(world: World, company: str = "acme") -> ListedCompany:
    with transaction():
        [found] = [c for c in read_page(world.id).companies if c.id == company]
    return found


def team(world: World, company: str = "acme") -> tuple[Any, ...]:
    found = listed(world, company)
    return found.owner, found.value, found.renews_on


def raised(world: World) -> list[tuple[str, str]]:
    return [(flag["flag"], flag["status"]) for flag in listed(world).raised]


def test_storing_an_event_derives_the_columns() -> None:
    world = World.create(RULES + TEAM)
    world.track("acme", 0, **FIELDS)
    world.track("bare", 0)
    assert team(world) == ANN
    assert team(world, "bare") == (None, None, None)


def test_an_event_or_update_that_changes_a_field_changes_its_column() -> None:
    world = World.create(RULES + TEAM)
    world.track("acme", 0, **FIELDS)
    world.track("acme", 1, csm="Cem")
    assert team(world) == ("Cem", *ANN[1:])
    world.store(world.update("acme", 2, arr="unknown"))
    assert team(world) == ("Cem", None, ANN[2])
    world.track("acme", 3)
    world.judge("acme", 3)
    assert team(world) == ("Cem", None, ANN[2])


def test_an_older_event_changes_no_column() -> None:
    world = World.create(RULES + TEAM)
    world.track("acme", 5, **FIELDS)
    world.track("acme", 1, csm="Cem")
    assert team(world) == ANN


def test_without_fields_of_the_team_there_are_no_values() -> None:
    for rules in (RULES, None):
        world = World.create(rules)
        world.track("acme", 0, **FIELDS)
        world.judge("acme", 0)
        assert team(world) == (None, None, None)


def test_the_owner_may_be_a_core_field() -> None:
    world = World.create(RULES + "team: {owner: company.crm_provider}\n")
    world.track("acme", 0, crm_provider="salesforce")
    assert team(world) == ("salesforce", None, None)


def test_new_rules_change_the_columns_of_all_companies_once_they_are_evaluated() -> None:
    world = World.create(RULES + TEAM)
    world.track("acme", 0, **FIELDS)
    world.track("other", 0, **FIELDS | {"deputy": "Cem"})
    world.apply_rules(RULES + "team: {owner: company.deputy, value: company.arr}\n", 1)
    world.judge(at=2)
    assert team(world) == ("Ben", Decimal("1200.50"), None)
    assert team(world, "other") == ("Cem", Decimal("1200.50"), None)
    world.apply_rules(RULES, 3)
    world.judge(at=4)
    assert team(world) == team(world, "other") == (None, None, None)


def test_an_evaluation_derives_the_raised_flags_worst_first() -> None:
    world = World.create()
    world.track("acme", 0, 1)
    world.judge("acme", 1)
    assert raised(world) == []
    world.judge("acme", 20)
    assert raised(world) == [("Logs in", "At Risk")]
    world.track("acme", 21, key="report")
    world.judge("acme", 21)
    assert raised(world) == [("Reports", "Critical"), ("Logs in", "At Risk")]


def test_raised_flags_respect_snoozes_and_overrides() -> None:
    tenant = Tenant()
    assert raised(tenant) == [("Logs in", "At Risk")]
    tenant.snooze(5, until=30)
    assert raised(tenant) == []
    tenant.judge("acme", 30)
    assert raised(tenant) == [("Logs in", "At Risk")]
    tenant.override(40, "Critical")
    assert raised(tenant) == [("Logs in", "Critical")]
    tenant.override(41, "Critical", flag="Reports")
    assert raised(tenant) == [("Logs in", "Critical"), ("Reports", "Critical")]
    tenant.end(50)
    assert raised(tenant) == [("Reports", "Critical"), ("Logs in", "At Risk")]
