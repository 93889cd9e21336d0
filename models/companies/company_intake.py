"""Companies while events are being stored: new rows, and the fields that events change."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.bulk import insert, query_over
from models.companies.companies import CORE_FIELDS, FIELD_COLUMNS, pop_traits
from models.companies.fields.field_digests import (
    DigestColumns,
    FieldDigest,
    RowGone,
    lock_and_touch,
)
from models.companies.fields.field_merge import Traits
from models.companies.fields.team_columns import NO_TEAM, TEAM_TYPES, TeamColumns
from models.database import query


@dataclass
class CompanyForIntake:
    """A company whose events are being stored, its row locked.

    `traits` and `first_seen_at` are None if the events repeat the known field values; otherwise,
    `team` has to be derived from the merged ones.
    `last_event_at` is the time of the newest event so far, None if none of these events is older.
    `unsettled` means that `unsettled_since` has changed. `unordered_until` is the time of the
    newest record that did not come from the company's own lane, None if there is none.
    """

    id: int
    judged_version: int
    awaiting: Collection[str]
    unsettled_since: datetime | None
    last_event_at: datetime | None
    traits: Traits | None = None
    first_seen_at: datetime | None = None
    unsettled: bool = False
    unordered_until: datetime | None = None
    team: TeamColumns = NO_TEAM

    def overtaken_until(self, at: datetime) -> None:
        """Note that a record of this time may have overtaken others of the company."""
        self.unordered_until = max(at, self.unordered_until or at)


@dataclass(frozen=True)
class NewCompany:
    """A company to add when its first event or update is stored."""

    organization_id: int
    external_id: str
    name: str
    first_seen_at: datetime
    unsettled_since: datetime | None
    health_status: str
    judged_version: int


_EVALUATION_COLUMNS = ("judged_version", "awaiting", "unsettled_since")


def add(companies: Iterable[NewCompany]) -> set[int]:
    """Add companies, except those that exist by now, and return the ids of the added ones."""
    rows = insert(
        "companies",
        tuple(NewCompany.__dataclass_fields__),
        sorted(companies, key=lambda company: (company.organization_id, company.external_id)),
        then="on conflict (organization_id, external_id) do nothing returning id",
    )
    return {row["id"] for row in rows}


def lock_for_intake(
    organization_id: int, digests: Sequence[FieldDigest]
) -> dict[int, CompanyForIntake]:
    """Lock the companies of events, in the order of their ids, and return them by id.

    If events repeat the field values of the newest event before them, and no field has changed
    after them, only the time of the newest event changes, which is written here. Such events are
    never older than the company's first, because that one set a field.

    Raises:
        RowGone: One of the companies no longer exists.
    """
    rows = lock_and_touch(
        DigestColumns("companies", newest="last_event_at", since="said_since"),
        organization_id,
        digests,
        select=f"id, repeated, {', '.join(_EVALUATION_COLUMNS)},"
        " case when newest > since then newest end as last_event_at",
        read=_EVALUATION_COLUMNS,
    )
    if len(rows) < len(digests):
        raise RowGone
    to_merge = [row["id"] for row in rows if not row.pop("repeated")]
    companies = {row["id"]: CompanyForIntake(**row) for row in rows}
    if to_merge:
        _read_fields(organization_id, companies, to_merge)
    return companies


def _read_fields(
    organization_id: int, companies: dict[int, CompanyForIntake], ids: Sequence[int]
) -> None:
    for row in query(
        f"select id, first_seen_at, last_event_at, {', '.join((*TEAM_TYPES, *FIELD_COLUMNS))}"
        " from companies"
        " where organization_id = %(organization_id)s and id = any(%(ids)s)",
        {"organization_id": organization_id, "ids": ids},
    ):
        company = companies[row["id"]]
        company.first_seen_at, company.traits = row["first_seen_at"], pop_traits(row)
        company.team = TeamColumns(**{name: row[name] for name in TEAM_TYPES})


_FIELD_TYPES = dict.fromkeys(CORE_FIELDS, "text") | {
    "traits": "jsonb",
    "fields_at": "jsonb",
    "fields_changed_at": "jsonb",
    "left_out": "jsonb",
    "last_event_at": "timestamptz",
    "said": "uuid",
    "said_since": "timestamptz",
    "first_seen_at": "timestamptz",
    **TEAM_TYPES,
}


_SAME = "c.organization_id = %(organization_id)s and c.id = v.id"


def save_intake(organization_id: int, companies: Collection[CompanyForIntake]) -> None:
    """Store what events change: fields, first sight, and since when evaluation is pending."""
    query_over(
        f"update companies c set {', '.join(f'{name} = v.{name}' for name in _FIELD_TYPES)}"
        f" from v where {_SAME}",
        [
            {
                **_field_values(company.id, company.traits, company.first_seen_at),
                **company.team.as_json(),
            }
            for company in companies
            if company.traits
        ],
        f"id bigint, {', '.join(f'{name} {kind}' for name, kind in _FIELD_TYPES.items())}",
        organization_id=organization_id,
    )
    query_over(
        f"update companies c set unsettled_since = v.unsettled_since from v where {_SAME}",
        [
            {"id": company.id, "unsettled_since": company.unsettled_since}
            for company in companies
            if company.unsettled
        ],
        "id bigint, unsettled_since timestamptz",
        organization_id=organization_id,
    )
    query_over(
        "update companies c set unordered_until = greatest(c.unordered_until, v.unordered_until)"
        f" from v where {_SAME}",
        [
            {"id": company.id, "unordered_until": company.unordered_until}
            for company in companies
            if company.unordered_until is not None
        ],
        "id bigint, unordered_until timestamptz",
        organization_id=organization_id,
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
