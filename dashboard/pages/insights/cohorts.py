"""The use of an event by cohorts: companies grouped by the value of a field."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from models.companies.companies import CORE_FIELDS
from models.companies.fields import field_names
from services.insights.answers import COHORTS, Answer

NOT_GROUPING = ("name", "payment_provider_id", "crm_provider_id")
"""Core fields with a different value for nearly every company."""

FEWEST = 2
"""The least number of values that can be compared."""

LONGEST = 80
"""Characters of a value that are shown."""


@dataclass(frozen=True)
class Cohort:
    """The companies with one value of a field.

    `search` is the value to find them by in the list of companies, None if that is not possible.
    `active` is how many of them had the event in the last 30 days, `events` how many events those
    were. `named` is false for the rows of all other values and of companies without a value.
    """

    value: str
    search: str | None
    named: bool
    companies: int
    active: int
    events: int

    @property
    def share(self) -> float:
        """The share of its companies that are active."""
        return self.active / self.companies

    @property
    def events_each(self) -> float:
        """Events per company, including inactive ones."""
        return self.events / self.companies


@dataclass(frozen=True)
class CohortTable:
    """All cohorts of a field, the largest first."""

    rows: Sequence[Cohort]
    as_of: datetime | None

    @property
    def ends(self) -> tuple[Cohort, Cohort] | None:
        """The values with the highest and the lowest share; None if they do not differ."""
        named = [row for row in self.rows if row.named]
        if len(named) < FEWEST:
            return None
        highest, lowest = max(named, key=_share), min(named, key=_share)
        return (highest, lowest) if highest.share > lowest.share else None


def fields_of(organization_id: int, in_rules: Collection[str]) -> list[str]:
    """Return the fields to choose from; empty if no company has custom fields.

    First come custom fields with few values, those `in_rules` before the others, then the other
    custom fields, then core fields.
    """
    custom = field_names.list_names(organization_id)
    values = field_names.count_values(organization_id, custom)
    grouping = [name for name in custom if FEWEST <= values.get(name, 0) <= COHORTS]
    grouping.sort(key=lambda name: name not in in_rules)
    other = [name for name in custom if name not in grouping]
    core = [name for name in CORE_FIELDS if name not in NOT_GROUPING]
    return [*grouping, *other, *core] if custom else []


def choose_field(fields: Sequence[str], requested: str | None) -> str | None:
    """Return the requested field, or the first; None if there are none."""
    return requested if requested in fields else next(iter(fields), None)


def cohort_table(answer: Answer) -> CohortTable | None:
    """Return the cohorts; None while there is no answer."""
    if answer.value is None:
        return None
    return CohortTable([_cohort(cohort) for cohort in answer.value], answer.as_of)


def _cohort(cohort: dict[str, Any]) -> Cohort:
    value = cohort["value"]
    named = not cohort["others"] and value is not None
    if cohort["others"]:
        text = "All other values"
    elif value is None:
        text = "Unknown"
    elif isinstance(value, str):
        text = value or "empty"
    else:
        text = orjson.dumps(value).decode()
    findable = named and not isinstance(value, list | dict) and value != ""
    return Cohort(
        value=text if len(text) <= LONGEST else f"{text[:LONGEST]}…",
        search=text if findable else None,
        named=named,
        companies=cohort["companies"],
        active=cohort["active"],
        events=cohort["events"],
    )


def _share(row: Cohort) -> float:
    return row.share
