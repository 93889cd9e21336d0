"""Ids are cached after they are read, up to a limit."""

from datetime import UTC, datetime

import pytest

from models.companies import companies, company_intake
from models.companies.companies import CompanyKey
from models.companies.company_intake import NewCompany
from models.organizations import organizations
from services.events import id_cache
from services.events.id_cache import IdCache

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("in_transaction")


def new_companies(number: int) -> list[CompanyKey]:
    organization = organizations.create("o")
    keys = [(organization.id, f"c{place}") for place in range(number)]
    company_intake.add(NewCompany(key, "Name", T0, None, "Healthy", 0) for key in keys)
    return keys


def test_an_id_that_exists_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    find_ids = companies.find_ids
    monkeypatch.setattr(
        companies, "find_ids", lambda keys: calls.append(len(keys)) or find_ids(keys)
    )
    cache, keys = IdCache(), new_companies(3)
    ids = cache.companies.of(keys)
    assert ids == find_ids(keys)
    assert cache.companies.of([*keys, (keys[0][0], "nobody")]) == ids
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
