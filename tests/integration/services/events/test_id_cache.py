"""Ids are cached after they are read, up to a limit."""

import pytest

from models.companies import companies, company_intake
from models.companies.company_intake import NewCompany
from models.organizations import organizations
from services.events import id_cache
from services.events.id_cache import IdCache
from tests.support.world import START

pytestmark = pytest.mark.usefixtures("in_transaction")


def new_companies(number: int) -> tuple[int, list[str]]:
    organization = organizations.create("o")
    keys = [f"c{place}" for place in range(number)]
    company_intake.add(
        NewCompany(organization.id, key, "Name", START, None, "Healthy", 0) for key in keys
    )
    return organization.id, keys


def test_an_existing_id_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    find_ids = companies.find_ids
    monkeypatch.setattr(
        companies, "find_ids", lambda o, keys: calls.append(len(keys)) or find_ids(o, keys)
    )
    cache, (o, keys) = IdCache(), new_companies(3)
    ids = cache.companies.of(o, keys)
    assert ids == find_ids(o, keys)
    assert cache.companies.of(o, [*keys, "unknown"]) == ids
    assert calls == [3, 1]
    assert cache.companies.of(o + 1, keys) == {}
    assert calls == [3, 1, 3]
    cache.clear()
    assert cache.companies.of(o, keys) == ids
    assert calls == [3, 1, 3, 3]


def test_a_full_cache_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_cache, "MAX_CACHED", 4)
    calls: list[int] = []
    find_ids = companies.find_ids
    monkeypatch.setattr(
        companies, "find_ids", lambda o, keys: calls.append(len(keys)) or find_ids(o, keys)
    )
    cache, (o, keys) = IdCache(), new_companies(6)
    cache.companies.of(o, keys[:3])
    assert cache.companies.of(o, keys[2:]) == find_ids(o, keys[2:])
    assert cache.companies.of(o, keys[3:]) == find_ids(o, keys[3:])
    assert cache.companies.of(o, keys[:3]) == find_ids(o, keys[:3])
    assert calls == [3, 3, 3]
