"""Companies: their fields and their health."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from models.bulk import query_over
from models.companies.external_ids import find_row_ids
from models.companies.fields.field_merge import Traits
from models.companies.fields.team_columns import NO_TEAM, TEAM_TYPES, RaisedFlag, TeamColumns
from models.database import query

CORE_FIELDS = ("name", "payment_provider", "payment_provider_id", "crm_provider", "crm_provider_id")

LINK_FIELDS = tuple(name for name in CORE_FIELDS if name != "name")
"""The core fields that link a company to what other products know about it."""

FIELD_COLUMNS = (*CORE_FIELDS, "traits", "fields_at", "said", "fields_changed_at", "left_out")


@dataclass
class Company:
    """A company's row; `awaiting` are its flags that an event can change.

    `history_until` is set while imported events of the past, up to that instant, are not judged.

    `evaluation_revision` is less than `EVALUATION_REVISION` if an older release judged it.

    `left_on` is the day on which it left, unless a later outcome followed.

    `unordered_until` is the time of the newest record that did not come from the company's own lane
    of the journal: entries there may be older and still wait.
    """

    id: int
    organization_id: int
    external_id: str
    traits: Traits
    first_seen_at: datetime
    health_status: str
    previous_status: str | None
    changed_at: datetime | None
    recorded_until: datetime | None
    sequence: int
    judged_version: int
    unsettled_since: datetime | None
    score: int | None
    awaiting: Collection[str]
    unordered_until: datetime | None = None
    history_until: datetime | None = None
    left_on: date | None = None
    team: TeamColumns = NO_TEAM
    raised: Sequence[RaisedFlag] = ()
    evaluation_revision: int = 0

    @property
    def name(self) -> str:
        """The company's name."""
        return str(self.traits.core["name"])


@dataclass(frozen=True)
class CompanyHealth:
    """A company as lists show it; `id` is the client's own."""

    id: str
    name: str
    health_status: str
    score: int | None
    previous_status: str | None
    changed_at: datetime | None


_COLUMNS = (
    "id, organization_id, external_id, health_status, previous_status, changed_at, recorded_until,"
    " sequence, score, first_seen_at, last_event_at, judged_version, awaiting, unsettled_since,"
    " history_until, unordered_until, left_on, raised, evaluation_revision,"
    f" {', '.join(TEAM_TYPES)}, {', '.join(FIELD_COLUMNS)}"
)


def find_ids(organization_id: int, external_ids: Collection[str]) -> dict[str, int]:
    """Return the ids of an organization's existing companies by the client's own ids."""
    return find_row_ids("companies", organization_id, external_ids)


_IN_ORGANIZATION = "organization_id = %(organization_id)s and id = any(%(ids)s)"


def lock(organization_id: int, company_ids: Collection[int]) -> dict[int, Company]:
    """Lock companies, always in the order of their ids, and return them by id."""
    rows = query(
        f"select {_COLUMNS} from companies where {_IN_ORGANIZATION} order by id for no key update",
        {"organization_id": organization_id, "ids": list(company_ids)},
    )
    return {row["id"]: _company(row) for row in rows}


def find_locked(organization_id: int, company_ids: Collection[int]) -> set[int]:
    """Return which companies' rows another transaction has locked at the moment.

    The others are locked until the current transaction ends, so let it end at once.
    """
    rows = query(
        f"select id from companies where {_IN_ORGANIZATION} for no key update skip locked",
        {"organization_id": organization_id, "ids": list(company_ids)},
    )
    return set(company_ids) - {row["id"] for row in rows}


def find(organization_id: int, external_id: str) -> Company | None:
    """Return the company with the client's own id, without locking it."""
    rows = query(
        f"select {_COLUMNS} from companies"
        " where organization_id = %(organization_id)s and external_id = %(external_id)s",
        {"organization_id": organization_id, "external_id": external_id},
    )
    return _company(rows[0]) if rows else None


def find_all(organization_id: int, external_ids: Collection[str]) -> list[Company]:
    """Return the companies with these ids of the client, without locking them."""
    rows = query(
        f"select {_COLUMNS} from companies"
        " where organization_id = %(organization_id)s and external_id = any(%(external_ids)s)",
        {"organization_id": organization_id, "external_ids": list(external_ids)},
    )
    return [_company(row) for row in rows]


def find_names(organization_id: int, external_ids: Collection[str]) -> dict[str, str]:
    """Return the names of the companies with these ids of the client, by id."""
    rows = query(
        "select external_id as id, name from companies"
        " where organization_id = %(organization_id)s and external_id = any(%(external_ids)s)",
        {"organization_id": organization_id, "external_ids": list(external_ids)},
    )
    return {row["id"]: row["name"] for row in rows}


def find_by_ids(organization_id: int, ids: Collection[int]) -> list[Company]:
    """Return the companies with these ids, in the order of their ids, without locking them."""
    rows = query(
        f"select {_COLUMNS} from companies where {_IN_ORGANIZATION} order by id",
        {"organization_id": organization_id, "ids": list(ids)},
    )
    return [_company(row) for row in rows]


def find_first_seen(organization_id: int, external_ids: Collection[str]) -> dict[str, datetime]:
    """Return when existing companies were first seen, by the client's own ids."""
    rows = query(
        "select external_id, first_seen_at from companies"
        " where organization_id = %(organization_id)s and external_id = any(%(external_ids)s)",
        {"organization_id": organization_id, "external_ids": list(external_ids)},
    )
    return {row["external_id"]: row["first_seen_at"] for row in rows}


def read_page(organization_id: int, *, after_id: int, limit: int) -> list[Company]:
    """Return the next companies of an organization in the order of their ids, without locking."""
    rows = query(
        f"select {_COLUMNS} from companies where organization_id = %(organization_id)s"
        " and id > %(after_id)s order by id limit %(limit)s",
        {"organization_id": organization_id, "after_id": after_id, "limit": limit},
    )
    return [_company(row) for row in rows]


_HEALTH_TYPES = {
    "health_status": "text",
    "previous_status": "text",
    "changed_at": "timestamptz",
    "recorded_until": "timestamptz",
    "sequence": "bigint",
    "judged_version": "integer",
    "unsettled_since": "timestamptz",
    "score": "integer",
    "awaiting": "text[]",
    "history_until": "timestamptz",
    "raised": "jsonb",
}

_EVALUATED_TYPES = {**_HEALTH_TYPES, **TEAM_TYPES}

EVALUATION_REVISION = 3
"""Which definition of what an evaluation stores the rows have; 1 is of releases before the column.

If a release defines the score or another of these columns differently, or derives other rows from
them as 3 does with work items, it increments this, with a
migration that sets the column's default and replaces the index `companies_of_older_revisions`; the
clock then evaluates every company again.
"""


def save_health(organization_id: int, companies: Iterable[Company]) -> None:
    """Store what an evaluation changes in companies of an organization."""
    query_over(
        f"update companies c set {', '.join(f'{name} = v.{name}' for name in _EVALUATED_TYPES)},"
        f" evaluation_revision = {EVALUATION_REVISION},"
        " evaluated_at = clock_timestamp()"
        " from v where c.organization_id = %(organization_id)s and c.id = v.id",
        [
            {
                "id": company.id,
                **{name: getattr(company, name) for name in _HEALTH_TYPES},
                **company.team.as_json(),
            }
            for company in companies
        ],
        f"id bigint, {', '.join(f'{name} {kind}' for name, kind in _EVALUATED_TYPES.items())}",
        organization_id=organization_id,
    )


def list_health(organization_id: int) -> list[CompanyHealth]:
    """Return all companies of an organization with their health, by name."""
    rows = query(
        "select external_id as id, name, health_status, score, previous_status, changed_at"
        " from companies where organization_id = %(organization_id)s order by name, external_id",
        {"organization_id": organization_id},
    )
    return [CompanyHealth(**row) for row in rows]


def list_ids(organization_id: int) -> list[int]:
    """Return the ids of all companies of an organization, in order."""
    rows = query(
        "select id from companies where organization_id = %(organization_id)s order by id",
        {"organization_id": organization_id},
    )
    return [row["id"] for row in rows]


def list_ids_between(organization_id: int, after_id: int, last_id: int, *, limit: int) -> list[int]:
    """Return the first ids of companies after one id and up to another one, in order."""
    rows = query(
        "select id from companies where organization_id = %(organization_id)s"
        " and id > %(after_id)s and id <= %(last_id)s order by id limit %(limit)s",
        {
            "organization_id": organization_id,
            "after_id": after_id,
            "last_id": last_id,
            "limit": limit,
        },
    )
    return [row["id"] for row in rows]


def count_with_last_id(organization_id: int) -> tuple[int, int]:
    """Count the companies of an organization, and return the greatest of their ids; 0 for none."""
    [row] = query(
        "select count(*) as number, coalesce(max(id), 0) as last_id from companies"
        " where organization_id = %(organization_id)s",
        {"organization_id": organization_id},
    )
    return row["number"], row["last_id"]


def count(organization_id: int) -> int:
    """Count the companies of an organization."""
    rows = query(
        "select count(*) as number from companies where organization_id = %(organization_id)s",
        {"organization_id": organization_id},
    )
    number: int = rows[0]["number"]
    return number


def pop_traits(row: dict[str, Any]) -> Traits:
    """Remove the columns of the fields from a row and return the fields."""
    return Traits.stored(
        {name: row.pop(name) for name in CORE_FIELDS},
        row.pop("traits"),
        row.pop("fields_at"),
        row.pop("last_event_at"),
        digest=row.pop("said"),
        changed_at=row.pop("fields_changed_at"),
        left_out=row.pop("left_out"),
    )


def _company(row: dict[str, Any]) -> Company:
    raised = [RaisedFlag(**flag) for flag in row.pop("raised") or ()]
    team = TeamColumns(**{name: row.pop(name) for name in TEAM_TYPES})
    return Company(traits=pop_traits(row), raised=raised, team=team, **row)
