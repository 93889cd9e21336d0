"""Companies: their fields, and where their health stands."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import query, query_over
from models.traits import Traits

CORE_FIELDS = ("name", "payment_provider", "payment_provider_id", "crm_provider", "crm_provider_id")

CompanyKey = tuple[int, str]
"""Organization id, and the client's own id of the company."""


@dataclass
class Company:
    """A company's row, locked for the transaction that read it.

    `changed` tells that an event said something else than the row does.
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
    changed: bool = False

    @property
    def name(self) -> str:
        """The company's name."""
        return str(self.traits.core["name"])

    @property
    def newest_event_at(self) -> int | None:
        """Microseconds since 1970 of the newest event stored: every one carries the name."""
        return self.traits.fields_at.get("name")


@dataclass(frozen=True)
class CompanyHealth:
    """A company as lists show it."""

    id: str
    name: str
    health_status: str
    score: int | None
    previous_status: str | None
    changed_at: datetime | None


@dataclass(frozen=True)
class NewCompany:
    """What is known of a company when its first event is stored."""

    key: CompanyKey
    name: str
    first_seen_at: datetime
    unsettled_since: datetime | None
    health_status: str
    rules_version: int


_COLUMNS = (
    "id, organization_id, external_id, traits, fields_at, fields_changed_at, first_seen_at,"
    " health_status, previous_status, changed_at, recorded_until, sequence, judged_version,"
    " unsettled_since, score, " + ", ".join(CORE_FIELDS)
)


def ids(keys: Collection[CompanyKey]) -> dict[CompanyKey, int]:
    """The ids of the companies with these keys that exist."""
    rows = query_over(
        "select organization_id, external_id, id from companies"
        " join v using (organization_id, external_id)",
        [{"organization_id": key[0], "external_id": key[1]} for key in keys],
        "organization_id bigint, external_id text",
    )
    return {(row["organization_id"], row["external_id"]): row["id"] for row in rows}


def lock(company_ids: Collection[int]) -> dict[int, Company]:
    """Lock and read companies, always in the order of their ids."""
    rows = query(
        f"select {_COLUMNS} from companies where id = any(%(ids)s) order by id for no key update",
        {"ids": list(company_ids)},
    )
    return {row["id"]: _company(row) for row in rows}


def find(organization_id: int, external_id: str) -> Company | None:
    """Read the company with the client's own id, without locking it."""
    rows = query(
        f"select {_COLUMNS} from companies"
        " where organization_id = %(organization_id)s and external_id = %(external_id)s",
        {"organization_id": organization_id, "external_id": external_id},
    )
    return _company(rows[0]) if rows else None


def add(companies: Iterable[NewCompany]) -> set[int]:
    """Add companies, but for those that somebody else has added meanwhile; the ids of the new."""
    rows = query_over(
        "insert into companies (organization_id, external_id, name, first_seen_at,"
        " unsettled_since, health_status, judged_version)"
        " select * from v on conflict (organization_id, external_id) do nothing returning id",
        [
            {
                "organization_id": c.key[0],
                "external_id": c.key[1],
                "name": c.name,
                "first_seen_at": c.first_seen_at,
                "unsettled_since": c.unsettled_since,
                "health_status": c.health_status,
                "judged_version": c.rules_version,
            }
            for c in sorted(companies, key=lambda c: c.key)
        ],
        "organization_id bigint, external_id text, name text, first_seen_at timestamptz,"
        " unsettled_since timestamptz, health_status text, judged_version integer",
    )
    return {row["id"] for row in rows}


def save_intake(companies: Iterable[Company]) -> None:
    """Write back what storing events changes: fields, first sight, what is yet to be judged.

    Of those that did not change, only when their fields were last said.
    """
    said = list(companies)
    query_over(
        "update companies c set fields_at = v.fields_at from v where c.id = v.id",
        [{"id": c.id, "fields_at": c.traits.fields_at} for c in said if not c.changed],
        "id bigint, fields_at jsonb",
    )
    query_over(
        "update companies c set name = v.name, payment_provider = v.payment_provider,"
        " payment_provider_id = v.payment_provider_id, crm_provider = v.crm_provider,"
        " crm_provider_id = v.crm_provider_id, traits = v.traits, fields_at = v.fields_at,"
        " fields_changed_at = v.fields_changed_at, first_seen_at = v.first_seen_at,"
        " unsettled_since = v.unsettled_since from v where c.id = v.id",
        [
            {
                "id": c.id,
                **c.traits.core,
                "traits": c.traits.custom,
                "fields_at": c.traits.fields_at,
                "fields_changed_at": c.traits.changed_at,
                "first_seen_at": c.first_seen_at,
                "unsettled_since": c.unsettled_since,
            }
            for c in said
            if c.changed
        ],
        f"id bigint, {' text, '.join(CORE_FIELDS)} text, traits jsonb, fields_at jsonb,"
        " fields_changed_at jsonb, first_seen_at timestamptz, unsettled_since timestamptz",
    )


_HEALTH = {
    "health_status": "text",
    "previous_status": "text",
    "changed_at": "timestamptz",
    "recorded_until": "timestamptz",
    "sequence": "bigint",
    "judged_version": "integer",
    "unsettled_since": "timestamptz",
    "score": "integer",
}


def save_health(companies: Iterable[Company]) -> None:
    """Write back what judging changes."""
    query_over(
        f"update companies c set {', '.join(f'{name} = v.{name}' for name in _HEALTH)}"
        " from v where c.id = v.id",
        [{"id": c.id, **{name: getattr(c, name) for name in _HEALTH}} for c in companies],
        f"id bigint, {', '.join(f'{name} {kind}' for name, kind in _HEALTH.items())}",
    )


def of_organization(organization_id: int) -> list[CompanyHealth]:
    """All companies of an organization, by name."""
    rows = query(
        "select external_id as id, name, health_status, score, previous_status, changed_at"
        " from companies where organization_id = %(organization_id)s order by name, external_id",
        {"organization_id": organization_id},
    )
    return [CompanyHealth(**row) for row in rows]


def page(organization_id: int, *, after_id: int, limit: int) -> list[Company]:
    """The next companies of an organization in the order of their ids, not locked."""
    rows = query(
        f"select {_COLUMNS} from companies where organization_id = %(organization_id)s"
        " and id > %(after_id)s order by id limit %(limit)s",
        {"organization_id": organization_id, "after_id": after_id, "limit": limit},
    )
    return [_company(row) for row in rows]


def ids_of_organization(organization_id: int) -> list[int]:
    """The ids of all companies of an organization."""
    rows = query(
        "select id from companies where organization_id = %(organization_id)s order by id",
        {"organization_id": organization_id},
    )
    return [row["id"] for row in rows]


def with_ids(ids: Collection[int]) -> list[Company]:
    """These companies, not locked."""
    rows = query(f"select {_COLUMNS} from companies where id = any(%(ids)s)", {"ids": list(ids)})
    return [_company(row) for row in rows]


def count(organization_id: int) -> int:
    """How many companies an organization has."""
    rows = query(
        "select count(*) as number from companies where organization_id = %(organization_id)s",
        {"organization_id": organization_id},
    )
    number: int = rows[0]["number"]
    return number


def count_judged_by_older_rules(organization_id: int) -> int:
    """How many companies of an organization are yet to be judged by the rules in force."""
    rows = query(
        "select count(*) as number from companies c join organizations o"
        " on o.id = c.organization_id where o.id = %(organization_id)s"
        " and c.judged_version < o.rules_version",
        {"organization_id": organization_id},
    )
    number: int = rows[0]["number"]
    return number


UNSETTLED = "companies where unsettled_since < %(until)s"


def unsettled(
    *, until: datetime, limit: int, leave_out: Sequence[tuple[int, str]] = ()
) -> list[tuple[int, str]]:
    """Companies with an event that took effect before `until` and is not judged.

    Each with the state of its row, another one after every change; pairs to `leave_out` are passed
    over. Those that wait the longest come first.
    """
    rows = query(
        f"select id, xmin::text as state from {UNSETTLED}"
        + (" and (id, xmin::text) not in %(leave_out)s" if leave_out else "")
        + " order by unsettled_since limit %(limit)s",
        {"until": until, "limit": limit, "leave_out": tuple(leave_out)},
    )
    return [(row["id"], row["state"]) for row in rows]


# The order makes it a probe of companies_by_judged_version: the planner cannot know that nearly
# always there is none, and would walk the table in search of the first.
JUDGED_BY_OLDER_RULES = (
    "organizations o cross join lateral (select id from companies where organization_id = o.id"
    " and judged_version < o.rules_version order by judged_version limit %(limit)s) c"
)


def ids_judged_by_older_rules(*, limit: int) -> list[int]:
    """Companies whose flags were last judged by a version that is no longer in force."""
    rows = query(f"select c.id from {JUDGED_BY_OLDER_RULES} limit %(limit)s", {"limit": limit})
    return [row["id"] for row in rows]


def _company(row: dict[str, Any]) -> Company:
    core = {name: row.pop(name) for name in CORE_FIELDS}
    traits = Traits(core, row.pop("traits"), row.pop("fields_at"), row.pop("fields_changed_at"))
    return Company(traits=traits, **row)
