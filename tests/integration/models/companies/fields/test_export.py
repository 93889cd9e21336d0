"""An export has every field that any of its companies has, and no other."""

from collections.abc import Sequence
from typing import Any

import pytest

from models.companies.company_filter import ALL_COMPANIES, CompanyFilter
from models.companies.company_list import BY_NAME
from models.companies.fields import export, field_names
from tests.support.companies.lists import ListCompany, add, field_is, organization

pytestmark = pytest.mark.usefixtures("in_transaction")

TWO_SEATS, TIER = (
    CompanyFilter(conditions=(field_is(name, value),))
    for name, value in (("seats", "2"), ("tier", "1"))
)


def fields(
    organization_id: int, company_filter: CompanyFilter = ALL_COMPANIES, most: int = 10
) -> Sequence[str]:
    return export.find(organization_id, company_filter, BY_NAME, most_fields=most).fields


@pytest.mark.parametrize("looked_for", [0, 1, 50])
def test_fields_of_an_export_are_those_of_its_companies_however_rare(
    monkeypatch: pytest.MonkeyPatch, looked_for: int
) -> None:
    monkeypatch.setattr(field_names, "SAMPLE_SIZE", 1)
    monkeypatch.setattr(export, "MOST_LOOKED_FOR", looked_for)
    o = organization()
    traits: list[dict[str, Any]] = [
        {"plan": "Pro", "beta": None},
        {"seats": 2, "? %(odd)s": 1},
        {"seats": 3, "tier": 1},
    ]
    add(o, *(ListCompany(name, traits=of) for name, of in zip("abc", traits, strict=True)))
    add(organization("other"), ListCompany("d", traits={"theirs": 1}))
    assert fields(o) == ["? %(odd)s", "beta", "plan", "seats", "tier"]
    assert fields(o, TWO_SEATS) == ["? %(odd)s", "seats"]
    assert fields(o, TIER) == ["seats", "tier"]
    assert fields(o, CompanyFilter(text="nobody")) == []
    assert fields(o, most=2) == ["seats", "tier"]


def test_an_export_without_fields_lists_its_companies() -> None:
    o = organization()
    [first, second] = add(o, ListCompany("a"), ListCompany("b"))
    found = export.find(o, CompanyFilter(status="Healthy"), BY_NAME, most_fields=10)
    assert (found.ids, found.fields) == ([first, second], [])
