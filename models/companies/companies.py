"""Companies: their fields, and where their health stands."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.bulk import query_over
from models.companies.external_ids import ExternalKey, find_row_ids
from models.companies.field_digests import FieldDigest, RowGone, lock_and_touch
from models.companies.field_merge import Traits
from models.database import query

CORE_FIELDS = ("name", "payment_provider", "payment_provider_id", "crm_provider", "crm_provider_id")

CompanyKey = ExternalKey


@dataclass
class Company:
    """A company's row; `awaiting` are its flags that an event can change."""

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

    @property
    def name(self) -> str:
        """The company's name."""
        return str(self.traits.core["name"])


@dataclass
class CompanyForIntake:
    """A company of which events are being stored, its row locked.

    `traits` and `first_seen_at` are None where the events say what was said before. `last_event_at`
    is the time of the newest event so far, None if none of these is older. `unsettled` tells that
    `unsettled_since` has moved.
    """

    id: int
    judged_version: int
    awaiting: Collection[str]
    unsettled_since: datetime | None
    last_event_at: datetime | None
    traits: Traits | None = None
    first_seen_at: datetime | None = None
    unsettled: bool = False


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


_FIELDS = (*CORE_FIELDS, "traits", "fields_at", "said", "fields_changed_at")
_STANDING = ("judged_version", "awaiting", "unsettled_since")
_COLUMNS = (
    "id, organization_id, external_id, health_status, previous_status, changed_at, recorded_until,"
    f" sequence, score, first_seen_at, last_event_at, {', '.join((*_STANDING, *_FIELDS))}"
)


def find_ids(keys: Collection[CompanyKey]) -> dict[CompanyKey, int]:
    """The ids of the companies with these keys that exist."""
    return find_row_ids("companies", keys)


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


def lock_for_intake(said: Sequence[FieldDigest]) -> dict[int, CompanyForIntake]:
    """Lock the companies of events, in the order of their ids; by id.

    Where the events say what was said before, and no field has changed after them, only the time of
    the newest event moves, here. None of those is older than the first, which set a field.

    Raises:
        RowGone: one of them is no longer there.
    """
    rows = lock_and_touch(
        "companies",
        said,
        newest="last_event_at",
        since="said_since",
        tell=f"id, again, {', '.join(_STANDING)},"
        " case when newest > since then newest end as last_event_at",
        read=_STANDING,
    )
    if len(rows) < len(said):
        raise RowGone
    to_merge = [row["id"] for row in rows if not row.pop("again")]
    heard = {row["id"]: CompanyForIntake(**row) for row in rows}
    if to_merge:
        _read_fields(heard, to_merge)
    return heard


def _read_fields(heard: dict[int, CompanyForIntake], ids: Sequence[int]) -> None:
    for row in query(
        f"select id, first_seen_at, last_event_at, {', '.join(_FIELDS)} from companies"
        " where id = any(%(ids)s)",
        {"ids": ids},
    ):
        company = heard[row["id"]]
        company.first_seen_at, company.traits = row["first_seen_at"], _traits(row)


_SAID = dict.fromkeys(CORE_FIELDS, "text") | {
    "traits": "jsonb",
    "fields_at": "jsonb",
    "fields_changed_at": "jsonb",
    "last_event_at": "timestamptz",
    "said": "uuid",
    "said_since": "timestamptz",
    "first_seen_at": "timestamptz",
}


def save_intake(heard: Iterable[CompanyForIntake]) -> None:
    """Write back what storing events changes: fields, first sight, what is yet to be judged."""
    companies = list(heard)
    query_over(
        f"update companies c set {', '.join(f'{name} = v.{name}' for name in _SAID)}"
        " from v where c.id = v.id",
        [_said(c.id, c.traits, c.first_seen_at) for c in companies if c.traits],
        f"id bigint, {', '.join(f'{name} {kind}' for name, kind in _SAID.items())}",
    )
    query_over(
        "update companies c set unsettled_since = v.unsettled_since from v where c.id = v.id",
        [{"id": c.id, "unsettled_since": c.unsettled_since} for c in companies if c.unsettled],
        "id bigint, unsettled_since timestamptz",
    )


def _said(company_id: int, traits: Traits, first_seen_at: datetime | None) -> dict[str, Any]:
    return {
        "id": company_id,
        **traits.core,
        "traits": traits.custom,
        "fields_at": traits.stored_fields_at,
        "fields_changed_at": traits.changed_at,
        "last_event_at": traits.newest_event_at,
        "said": traits.digest(),
        "said_since": traits.unchanged_since,
        "first_seen_at": first_seen_at,
    }


_HEALTH = {
    "health_status": "text",
    "previous_status": "text",
    "changed_at": "timestamptz",
    "recorded_until": "timestamptz",
    "sequence": "bigint",
    "judged_version": "integer",
    "unsettled_since": "timestamptz",
    "score": "integer",
    "awaiting": "text[]",
}


def save_health(companies: Iterable[Company]) -> None:
    """Write back what judging changes."""
    query_over(
        f"update companies c set {', '.join(f'{name} = v.{name}' for name in _HEALTH)}"
        " from v where c.id = v.id",
        [{"id": c.id, **{name: getattr(c, name) for name in _HEALTH}} for c in companies],
        f"id bigint, {', '.join(f'{name} {kind}' for name, kind in _HEALTH.items())}",
    )


def list_health(organization_id: int) -> list[CompanyHealth]:
    """All companies of an organization, by name."""
    rows = query(
        "select external_id as id, name, health_status, score, previous_status, changed_at"
        " from companies where organization_id = %(organization_id)s order by name, external_id",
        {"organization_id": organization_id},
    )
    return [CompanyHealth(**row) for row in rows]


def read_page(organization_id: int, *, after_id: int, limit: int) -> list[Company]:
    """The next companies of an organization in the order of their ids, not locked."""
    rows = query(
        f"select {_COLUMNS} from companies where organization_id = %(organization_id)s"
        " and id > %(after_id)s order by id limit %(limit)s",
        {"organization_id": organization_id, "after_id": after_id, "limit": limit},
    )
    return [_company(row) for row in rows]


def list_ids(organization_id: int) -> list[int]:
    """The ids of all companies of an organization."""
    rows = query(
        "select id from companies where organization_id = %(organization_id)s order by id",
        {"organization_id": organization_id},
    )
    return [row["id"] for row in rows]


def find_by_ids(ids: Collection[int]) -> list[Company]:
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


def find_unsettled(
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


def find_judged_by_older_rules(*, limit: int) -> list[int]:
    """Companies whose flags were last judged by a version that is no longer in force."""
    rows = query(f"select c.id from {JUDGED_BY_OLDER_RULES} limit %(limit)s", {"limit": limit})
    return [row["id"] for row in rows]


def _company(row: dict[str, Any]) -> Company:
    return Company(traits=_traits(row), **row)


def _traits(row: dict[str, Any]) -> Traits:
    """What a row says of the fields, which is taken out of it."""
    return Traits.stored(
        {name: row.pop(name) for name in CORE_FIELDS},
        row.pop("traits"),
        row.pop("fields_at"),
        row.pop("last_event_at"),
        said=row.pop("said"),
        changed_at=row.pop("fields_changed_at"),
    )
