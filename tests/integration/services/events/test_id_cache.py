"""Ids are cached after they are read, up to a limit."""

import pytest

from models.companies import companies, company_intake
from models.companies.companies import CompanyKey
from models.companies.company_intake import NewCompany
from models.organizations import organizations
from services.events import id_cache
from services.events.id_cache import IdCache
from tests.support.world import START

pytestmark = pytest.mark.usefixtures("in_transaction")


def new_companies(number: int) -> list[CompanyKey]:
    organization = organizations.create("o")
    keys = [(organization.id, f"c{place}") for place in range(number)]
    company_intake.add(NewCompany(key, "Name", START, None, "Healthy", 0) for key in keys)
    return keys


def test_an_existing_id_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    find_ids = companies.find_ids
    monkeypatch.setattr(
        companies, "find_ids", lambda keys: calls.append(len(keys)) or find_ids(keys)
    )
    cache, keys = IdCache(), new_companies(3)
    ids = cache.companies.of(keys)
    assert ids == find_ids(keys)
    assert cache.companies.of([*keys, (keys[0][0], "unknown")]) == ids
    assert calls == [3, 1]
    cache.clear()
    assert cache.companies.of(keys) == ids
    assert calls == [3, 1, 3]


def test_a_full_cache_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_cache, "MAX_CACHED", 4)
    calls: list[int] = []
    find_ids = companies.find_ids
    monkeypatch.setattr(
        companies, "find_ids", lambda keys: calls.append(len(keys)) or find_ids(keys)
    )
    cache, keys = IdCache(), new_companies(6)
    cache.companies.of(keys[:3])
    assert cache.companies.of(keys[2:]) == find_ids(keys[2:])
    assert cache.companies.of(keys[3:]) == find_ids(keys[3:])
    assert cache.companies.of(keys[:3]) == find_ids(keys[:3])
    assert calls == [3, 3, 3]
