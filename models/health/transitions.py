"""Transitions: the history of companies' health, a row for each instant with a change."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from models.bulk import insert, query_over
from models.cursors import Cursor
from models.database import query
from models.folding import folded, folded_parameters
from models.portfolio import stale_companies


@dataclass(frozen=True)
class StoredTransition:
    """One transition; `from_status` equals `to_status` if only flags changed.

    `changes` lists the flags that changed, each with `flag`, `from`, `to` and `threshold`,
    and with `reason`, why in a few words, if the flag's own level changed. `score` is the company's
    score afterwards, None if no flag applied or none was recorded.
    """

    id: UUID
    organization_id: int
    company_id: int
    sequence: int
    at: datetime
    from_status: str
    to_status: str
    cause: str
    changes: list[dict[str, Any]]
    rules_version: int
    recorded_at: datetime
    score: int | None = None


@dataclass(frozen=True)
class RecentTransition:
    """A transition with its company; `company` is the client's own id."""

    id: UUID
    company: str
    company_name: str
    at: datetime
    from_status: str
    to_status: str
    cause: str
    changes: list[dict[str, Any]]


_NEWEST_FIRST = Cursor("transitions", ("timestamptz", "uuid"))

_COLUMNS = tuple(StoredTransition.__dataclass_fields__)


def add_all(transitions: Sequence[StoredTransition]) -> None:
    """Insert transitions, whose companies are to be counted again."""
    insert("transitions", _COLUMNS, transitions, json_columns=("changes",))
    by_organization: dict[int, dict[int, date]] = {}
    for transition in transitions:
        since = by_organization.setdefault(transition.organization_id, {})
        day = transition.at.astimezone(UTC).date()
        since[transition.company_id] = min(day, since.get(transition.company_id, day))
    for organization_id, since in by_organization.items():
        stale_companies.mark(organization_id, since)


def list_for_company(organization_id: int, company_id: int) -> list[StoredTransition]:
    """Return a company's transitions, oldest first."""
    return list_for_companies(organization_id, [company_id])[company_id]


def list_for_companies(
    organization_id: int, company_ids: Collection[int]
) -> dict[int, list[StoredTransition]]:
    """Return the transitions of companies, oldest first, by company."""
    rows = query(
        f"select {', '.join(_COLUMNS)} from transitions where organization_id ="
        " %(organization_id)s and company_id = any(%(ids)s) order by company_id, sequence",
        {"organization_id": organization_id, "ids": list(company_ids)},
    )
    listed: dict[int, list[StoredTransition]] = {company_id: [] for company_id in company_ids}
    for row in rows:
        listed[row["company_id"]].append(StoredTransition(**row))
    return listed


def list_after(organization_id: int, after_sequences: Mapping[int, int]) -> list[StoredTransition]:
    """Return the transitions of companies, for each after a sequence number, oldest first."""
    rows = query_over(
        f"select {', '.join(f't.{name}' for name in _COLUMNS)}"
        " from v join transitions t on t.organization_id = %(organization_id)s"
        " and t.company_id = v.company_id and t.sequence > v.after"
        " order by t.company_id, t.sequence",
        [{"company_id": id_, "after": after} for id_, after in after_sequences.items()],
        "company_id bigint, after bigint",
        organization_id=organization_id,
    )
    return [StoredTransition(**row) for row in rows]


def list_since(
    organization_id: int, company_id: int, since: datetime, *, limit: int
) -> list[StoredTransition]:
    """Return the transitions of a company from an instant on, oldest first."""
    rows = query(
        f"select {', '.join(_COLUMNS)} from transitions"
        " where organization_id = %(organization_id)s and company_id = %(company_id)s"
        " and at >= %(since)s order by sequence limit %(limit)s",
        {
            "organization_id": organization_id,
            "company_id": company_id,
            "since": since,
            "limit": limit,
        },
    )
    return [StoredTransition(**row) for row in rows]


def list_recent(
    organization_id: int,
    *,
    since: datetime,
    only_status: bool = True,
    owners: Sequence[str] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[RecentTransition], str | None]:
    """Return the transitions after an instant, newest first, and the cursor of the next page.

    Those of companies that left are not among them. `only_status` omits the ones that changed only
    flags. `owners` limits them to their companies, regardless of case and accents.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    rows = query(
        "select t.id, c.external_id as company, c.name as company_name, t.at, t.from_status,"
        " t.to_status, t.cause, t.changes"
        " from transitions t join companies c"
        " on c.organization_id = t.organization_id and c.id = t.company_id"
        " where t.organization_id = %(organization_id)s and t.at > %(since)s"
        f" and c.left_on is null{_of(owners)}"
        f"{' and t.from_status <> t.to_status' if only_status else ''}"
        f"{_NEWEST_FIRST.condition(['t.at', 't.id'], after, descending=True)}"
        " order by t.at desc, t.id desc limit %(limit)s",
        {
            "organization_id": organization_id,
            "since": since,
            "owners": owners and list(owners),
            "limit": limit + 1,
            **_NEWEST_FIRST.read(after),
        },
    )
    transitions = [RecentTransition(**row) for row in rows[:limit]]
    return transitions, _NEWEST_FIRST.next_page(rows, limit, "at", "id")


def count_recent(
    organization_id: int, *, since: datetime, owners: Sequence[str] | None = None
) -> int:
    """Count the changes of status after an instant, without those of companies that left.

    `owners` limits them to their companies, regardless of case and accents.
    """
    [row] = query(
        "select count(*) as number from transitions t join companies c"
        " on c.organization_id = t.organization_id and c.id = t.company_id"
        " where t.organization_id = %(organization_id)s and t.at > %(since)s"
        f" and t.from_status <> t.to_status and c.left_on is null{_of(owners)}",
        {
            "organization_id": organization_id,
            "since": since,
            "owners": owners and list(owners),
        },
    )
    number: int = row["number"]
    return number


def _of(owners: Sequence[str] | None) -> str:
    """Return an SQL condition on the owner of `companies c`; empty for all of them."""
    if owners is None:
        return ""
    return f" and {folded('c.owner')} = any({folded_parameters('owners')})"


def count_changed(organization_id: int, *, since: datetime) -> int:
    """Count the companies of an organization whose status changed after an instant."""
    rows = query(
        "select count(distinct company_id) as number from transitions"
        " where organization_id = %(organization_id)s and at > %(since)s"
        " and from_status <> to_status",
        {"organization_id": organization_id, "since": since},
    )
    number: int = rows[0]["number"]
    return number


def find_makers(organization_id: int, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return who caused transitions, by applying rules or by creating or ending an override.

    Transitions caused by events or by time are omitted.
    """
    rows = query(
        """
        select t.id, string_agg(distinct maker, ', ') as maker from transitions t
        cross join lateral (
            select applied_by as maker from rule_versions v where t.cause = 'rule_change'
                and v.organization_id = %(organization_id)s and v.version = t.rules_version
            union all
            select case when starts_at = t.at then made_by else ended_by end
            from flag_overrides o where t.cause = 'override'
                and o.organization_id = %(organization_id)s and o.company_id = t.company_id
                and (starts_at = t.at or (ended_at = t.at and ended_by not in ('time', 'rules')))
        ) who
        where t.organization_id = %(organization_id)s and t.id = any(%(ids)s)
            and t.cause in ('rule_change', 'override')
        group by t.id
        """,
        {"organization_id": organization_id, "ids": list(ids)},
    )
    return {row["id"]: row["maker"] for row in rows}
