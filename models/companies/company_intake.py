"""Companies while events are being stored: new rows, and the fields that events change."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.bulk import query_over
from models.companies.companies import CORE_FIELDS, FIELD_COLUMNS, CompanyKey, pop_traits
from models.companies.fields.field_digests import FieldDigest, RowGone, lock_and_touch
from models.companies.fields.field_merge import Traits
from models.database import query


@dataclass
class CompanyForIntake:
    """A company whose events are being stored, its row locked.

    `traits` and `first_seen_at` are None if the events repeat the known field values.
    `last_event_at` is the time of the newest event so far, None if none of these events is older.
    `unsettled` means that `unsettled_since` has changed.
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
class NewCompany:
    """A company to add when its first event is stored."""

    key: CompanyKey
    name: str
    first_seen_at: datetime
    unsettled_since: datetime | None
    health_status: str
    rules_version: int


_EVALUATION_COLUMNS = ("judged_version", "awaiting", "unsettled_since")


def add(companies: Iterable[NewCompany]) -> set[int]:
    """Add companies, except those that exist by now, and return the ids of the added ones."""
    rows = query_over(
        "insert into companies (organization_id, external_id, name, first_seen_at,"
        " unsettled_since, health_status, judged_version)"
        " select * from v on conflict (organization_id, external_id) do nothing returning id",
        [
            {
                "organization_id": company.key[0],
                "external_id": company.key[1],
                "name": company.name,
                "first_seen_at": company.first_seen_at,
                "unsettled_since": company.unsettled_since,
                "health_status": company.health_status,
                "judged_version": company.rules_version,
            }
            for company in sorted(companies, key=lambda company: company.key)
        ],
        "organization_id bigint, external_id text, name text, first_seen_at timestamptz,"
        " unsettled_since timestamptz, health_status text, judged_version integer",
    )
    return {row["id"] for row in rows}


def lock_for_intake(digests: Sequence[FieldDigest]) -> dict[int, CompanyForIntake]:
    """Lock the companies of events, in the order of their ids, and return them by id.

    If events repeat the field values of the newest event before them, and no field has changed
    after them, only the time of the newest event changes, which is written here. Such events are
    never older than the company's first, because that one set a field.

    Raises:
        RowGone: One of the companies no longer exists.
    """
    rows = lock_and_touch(
        "companies",
        digests,
        newest="last_event_at",
        since="said_since",
        select=f"id, repeated, {', '.join(_EVALUATION_COLUMNS)},"
        " case when newest > since then newest end as last_event_at",
        read=_EVALUATION_COLUMNS,
    )
    if len(rows) < len(digests):
        raise RowGone
    to_merge = [row["id"] for row in rows if not row.pop("repeated")]
    companies = {row["id"]: CompanyForIntake(**row) for row in rows}
    if to_merge:
        _read_fields(companies, to_merge)
    return companies


def _read_fields(companies: dict[int, CompanyForIntake], ids: Sequence[int]) -> None:
    for row in query(
        f"select id, first_seen_at, last_event_at, {', '.join(FIELD_COLUMNS)} from companies"
        " where id = any(%(ids)s)",
        {"ids": ids},
    ):
        company = companies[row["id"]]
        company.first_seen_at, company.traits = row["first_seen_at"], pop_traits(row)


_FIELD_TYPES = dict.fromkeys(CORE_FIELDS, "text") | {
    "traits": "jsonb",
    "fields_at": "jsonb",
    "fields_changed_at": "jsonb",
    "left_out": "jsonb",
    "last_event_at": "timestamptz",
    "said": "uuid",
    "said_since": "timestamptz",
    "first_seen_at": "timestamptz",
}


def save_intake(companies: Collection[CompanyForIntake]) -> None:
    """Store what events change: fields, first sight, and since when evaluation is pending."""
    query_over(
        f"update companies c set {', '.join(f'{name} = v.{name}' for name in _FIELD_TYPES)}"
        " from v where c.id = v.id",
        [
            _field_values(company.id, company.traits, company.first_seen_at)
            for company in companies
            if company.traits
        ],
        f"id bigint, {', '.join(f'{name} {kind}' for name, kind in _FIELD_TYPES.items())}",
    )
    query_over(
        "update companies c set unsettled_since = v.unsettled_since from v where c.id = v.id",
        [
            {"id": company.id, "unsettled_since": company.unsettled_since}
            for company in companies
            if company.unsettled
        ],
        "id bigint, unsettled_since timestamptz",
    )


def _field_values(
    company_id: int, traits: Traits, first_seen_at: datetime | None
) -> dict[str, Any]:
    return {
        "id": company_id,
        **traits.core,
        "traits": traits.custom,
        "fields_at": traits.stored_fields_at,
        "fields_changed_at": traits.changed_at,
        "left_out": traits.left_out,
        "last_event_at": traits.newest_event_at,
        "said": traits.digest(),
        "said_since": traits.unchanged_since,
        "first_seen_at": first_seen_at,
    }
