"""The recorded level of each flag of each company, and when it is due."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from models.bulk import insert, query_over
from models.database import query
from models.health import due_companies


@dataclass(frozen=True)
class StoredFlagState:
    """One flag of one company; `status` is None for not applicable.

    `holding` maps a status of a flag with `for` to the instant since when its phrase holds, as ISO
    8601; `moved_at` is when the status or `holding` last changed, None if only the status ever did.
    """

    organization_id: int
    company_id: int
    flag: str
    status: str | None
    changed_at: datetime
    due_at: datetime | None
    moved_at: datetime | None = None
    holding: Mapping[str, str] = field(default_factory=dict)


def list_for_company(organization_id: int, company_id: int) -> list[StoredFlagState]:
    """Return all flag states of a company."""
    return list_for_companies(organization_id, [company_id])[company_id]


def list_for_companies(
    organization_id: int, company_ids: Collection[int]
) -> dict[int, list[StoredFlagState]]:
    """Return all flag states of companies, by company."""
    rows = query(
        "select organization_id, company_id, flag, status, changed_at, due_at,"
        " moved_at, holding from flag_states"
        " where organization_id = %(organization_id)s and company_id = any(%(company_ids)s)",
        {"organization_id": organization_id, "company_ids": list(company_ids)},
    )
    states: dict[int, list[StoredFlagState]] = {company_id: [] for company_id in company_ids}
    for row in rows:
        states[row["company_id"]].append(StoredFlagState(**row))
    return states


def find_due_companies(organization_id: int, *, until: datetime) -> list[int]:
    """Return the companies of an organization that have a flag due up to an instant."""
    return due_companies.list_due("flag_states", organization_id, until=until)


def save(states: Iterable[StoredFlagState]) -> None:
    """Insert states, or update the ones of the same company and flag."""
    insert(
        "flag_states",
        tuple(StoredFlagState.__dataclass_fields__),
        list(states),
        json_columns=("holding",),
        then="on conflict (organization_id, company_id, flag) do update set"
        " status = excluded.status, changed_at = excluded.changed_at, due_at = excluded.due_at,"
        " moved_at = excluded.moved_at, holding = excluded.holding",
    )


def remove(organization_id: int, states: Iterable[StoredFlagState]) -> None:
    """Delete the states of flags that an organization's rules no longer contain."""
    query_over(
        "delete from flag_states f using v where f.organization_id = %(organization_id)s"
        " and f.company_id = v.company_id and f.flag = v.flag",
        [{"company_id": state.company_id, "flag": state.flag} for state in states],
        "company_id bigint, flag text",
        organization_id=organization_id,
    )
