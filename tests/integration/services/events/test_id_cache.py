"""Ids that were looked up are remembered, but never without bound."""

from datetime import UTC, datetime

import pytest

from models.companies import companies
from models.companies.companies import CompanyKey, NewCompany
from models.organizations import organizations
from services.events import id_cache
from services.events.id_cache import IdCache

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("in_transaction")


def new_companies(number: int) -> list[CompanyKey]:
    organization = organizations.create("o")
    keys = [(organization.id, f"c{place}") for place in range(number)]
    companies.add(NewCompany(key, "Name", T0, None, "Healthy", 0) for key in keys)
    return keys


def test_what_was_found_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    look_up = companies.find_ids
    monkeypatch.setattr(
        companies, "find_ids", lambda keys: asked.append(len(keys)) or look_up(keys)
    )
    known, keys = IdCache(), new_companies(3)
    found = known.companies.of(keys)
    assert found == look_up(keys)
    assert known.companies.of([*keys, (keys[0][0], "nobody")]) == found
    assert asked == [3, 1]
    known.clear()
    assert known.companies.of(keys) == found
    assert asked == [3, 1, 3]


def test_when_there_are_too_many_all_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_cache, "MAX_CACHED", 4)
    asked: list[int] = []
    look_up = companies.find_ids
    monkeypatch.setattr(
        companies, "find_ids", lambda keys: asked.append(len(keys)) or look_up(keys)
    )
    known, keys = IdCache(), new_companies(6)
    known.companies.of(keys[:3])
    assert known.companies.of(keys[2:]) == look_up(keys[2:])
    assert known.companies.of(keys[3:]) == look_up(keys[3:])
    assert known.companies.of(keys[:3]) == look_up(keys[:3])
    assert asked == [3, 3, 3]
