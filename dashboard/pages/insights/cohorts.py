"""Who uses an event, by what a field of companies says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from models.companies import field_names
from models.companies.companies import CORE_FIELDS
from services.insights import COHORTS, Cohorts, Looked

NOT_GROUPING = ("name", "payment_provider_id", "crm_provider_id")
"""Core fields that say something else of nearly every company."""

FEWEST = 2
"""Values of a field that make groups to compare."""

LONGEST = 80
"""Letters of a value that are shown."""


@dataclass(frozen=True)
class Cohort:
    """The companies of one value; `search` finds them in the list of companies, None if it cannot.

    `active` had the event in the last 30 days, `events` of them in all.
    """

    value: str
    search: str | None
    named: bool
    companies: int
    active: int
    events: int

    @property
    def share(self) -> float:
        """Of its companies, how many are active."""
        return self.active / self.companies

    @property
    def events_each(self) -> float:
        """Events per company, the idle ones counted in."""
        return self.events / self.companies


@dataclass(frozen=True)
class Found:
    """All cohorts of a field, those of most companies first."""

    rows: Sequence[Cohort]
    as_of: datetime | None

    @property
    def ends(self) -> tuple[Cohort, Cohort] | None:
        """The values with the greatest and the least share; None where they do not differ."""
        named = [row for row in self.rows if row.named]
        if len(named) < FEWEST:
            return None
        most, least = max(named, key=_share), min(named, key=_share)
        return (most, least) if most.share > least.share else None


def fields_of(organization_id: int, in_rules: Collection[str]) -> list[str]:
    """The fields to choose from: first those that make few groups, ahead those `in_rules`.

    Then the other custom fields, and those of the core. None where no company has custom fields.
    """
    custom = field_names.names(organization_id)
    values = field_names.number_of_values(organization_id)
    grouping = [name for name in custom if FEWEST <= values.get(name, 0) <= COHORTS]
    grouping.sort(key=lambda name: name not in in_rules)
    other = [name for name in custom if name not in grouping]
    core = [name for name in CORE_FIELDS if name not in NOT_GROUPING]
    return [*grouping, *other, *core] if custom else []


def chosen(fields: Sequence[str], wanted: str | None) -> str | None:
    """The field that is asked for, or the first; None where there is none."""
    return wanted if wanted in fields else next(iter(fields), None)


def question(field: str, event_key: str) -> Cohorts:
    """What to ask."""
    return Cohorts(field, event_key)


def read(looked: Looked) -> Found | None:
    """The cohorts; None while nothing is known."""
    if looked.answer is None:
        return None
    return Found([_cohort(one) for one in looked.answer], looked.as_of)


def _cohort(one: dict[str, Any]) -> Cohort:
    value = one["value"]
    named = not one["others"] and value is not None
    if one["others"]:
        text = "All other values"
    elif value is None:
        text = "Not known"
    elif isinstance(value, str):
        text = value or "empty"
    else:
        text = orjson.dumps(value).decode()
    findable = named and not isinstance(value, list | dict) and value != ""
    return Cohort(
        value=text if len(text) <= LONGEST else f"{text[:LONGEST]}…",
        search=text if findable else None,
        named=named,
        companies=one["companies"],
        active=one["active"],
        events=one["events"],
    )


def _share(row: Cohort) -> float:
    return row.share
