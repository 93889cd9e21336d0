"""Users of companies, and their fields."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.bulk import insert, query_over, query_over_columns
from models.companies.external_ids import find_row_ids
from models.companies.fields.field_digests import (
    DigestColumns,
    FieldDigest,
    RowGone,
    lock_and_touch,
)
from models.companies.fields.field_limits import LeftOut
from models.companies.fields.field_merge import Traits, to_microseconds
from models.companies.tables import UserRow
from models.cursors import Cursor
from models.database import query

CORE_FIELDS = ("email", "name")


@dataclass
class User:
    """A user's row.

    The newest event or update that named a company says where the user belongs; its time is that of
    the newest event of `traits`. If it is an update, `moved_at` is that time as well, and
    `event_at` is the time of the newest event, None if there was none.
    """

    id: int
    company_id: int
    traits: Traits
    first_seen_at: datetime
    moved_at: datetime | None = None
    event_at: datetime | None = None

    @property
    def last_event_at(self) -> datetime | None:
        """The time of the newest event; None if there was none."""
        newest = self.traits.newest_event_at
        return self.event_at if newest == self.moved_at else newest

    def merge_event(self, sent: Mapping[str, Any], company_id: int, at: datetime) -> None:
        """Merge the fields of an event of the time `at`, and the company that it belongs to."""
        last = self.last_event_at
        self.traits.merge(sent, at)
        if self.traits.newest_event_at == at:
            self.company_id, self.moved_at, self.event_at = company_id, None, None
        elif self.moved_at is not None:
            self.event_at = at if last is None else max(last, at)
        self.first_seen_at = min(at, self.first_seen_at)

    def merge_update(self, sent: Mapping[str, Any], company_id: int | None, at: datetime) -> None:
        """Merge fields that were sent without an event, and their company if they have one."""
        self.traits.merge_update(sent, at)
        newest = self.traits.newest_event_at
        if company_id is not None and (newest is None or at >= newest):
            self.event_at, self.moved_at = self.last_event_at, at
            self.company_id = company_id
            self.traits.newest_at = to_microseconds(at)
            self.traits.forget_newest()
        self.first_seen_at = min(at, self.first_seen_at)


@dataclass(frozen=True)
class ListedUser:
    """A user as lists show it; `last_event_at` is the time of their newest event, if any."""

    id: str
    name: str | None
    email: str | None
    first_seen_at: datetime
    last_event_at: datetime | None
    traits: dict[str, Any]
    left_out: LeftOut | None


_LAST_SEEN_FIRST = Cursor("users", ("timestamptz", "bigint"))


@dataclass(frozen=True)
class NewUser:
    """A user to add when their first event or update is stored.

    `moved_at` is the time of an update, None for an event.
    """

    organization_id: int
    external_id: str
    company_id: int
    company_at: datetime
    first_seen_at: datetime
    moved_at: datetime | None = None


def find_ids(organization_id: int, external_ids: Collection[str]) -> dict[str, int]:
    """Return the ids of an organization's existing users by the client's own ids."""
    return find_row_ids("users", organization_id, external_ids)


def find_companies(organization_id: int, external_ids: Collection[str]) -> dict[str, str]:
    """Return the companies of an organization's users; each id is the client's own."""
    rows = query_over_columns(
        "select u.external_id as user, c.external_id as company from v join users u"
        " on u.organization_id = %(organization_id)s and u.external_id = v.external_id"
        " join companies c on c.organization_id = %(organization_id)s and c.id = u.company_id",
        {"external_id text": list(external_ids)},
        organization_id=organization_id,
    )
    return {row["user"]: row["company"] for row in rows}


def lock_for_intake(organization_id: int, digests: Sequence[FieldDigest]) -> dict[int, User]:
    """Lock the users of events, in the order of their ids; return the ones to merge, by id.

    If events repeat the field values of the newest event before them, only the time of the newest
    event changes, which is written here.

    Raises:
        RowGone: One of the users no longer exists.
    """
    if not digests:
        return {}
    [row] = lock_and_touch(
        # There is no history that a late event could change.
        DigestColumns("users", newest="company_at", since="first_seen_at"),
        organization_id,
        digests,
        select="count(*) as locked, array_agg(id) filter (where not repeated) as to_merge",
    )
    if row["locked"] < len(digests):
        raise RowGone
    return find_by_ids(organization_id, row["to_merge"]) if row["to_merge"] else {}


def find_by_ids(organization_id: int, ids: Collection[int]) -> dict[int, User]:
    """Return the users with these ids, by id."""
    rows = query(
        "select id, company_id, email, name, traits, fields_at, company_at, said, first_seen_at,"
        " left_out, moved_at, event_at from users"
        " where organization_id = %(organization_id)s and id = any(%(ids)s)",
        {"organization_id": organization_id, "ids": list(ids)},
    )
    return {row["id"]: _user(row) for row in rows}


def add(users: Iterable[NewUser]) -> None:
    """Add users, except those that exist by now."""
    insert(
        "users",
        tuple(NewUser.__dataclass_fields__),
        sorted(users, key=lambda user: (user.organization_id, user.external_id)),
        then="on conflict (organization_id, external_id) do nothing",
    )


def save(organization_id: int, users: Iterable[User]) -> None:
    """Store the users whose fields or company have changed."""
    query_over(
        "update users u set company_id = v.company_id, company_at = v.company_at, email = v.email,"
        " name = v.name, traits = v.traits, fields_at = v.fields_at, said = v.said,"
        " first_seen_at = v.first_seen_at, left_out = v.left_out, moved_at = v.moved_at,"
        " event_at = v.event_at from v"
        " where u.organization_id = %(organization_id)s and u.id = v.id",
        [
            {
                "id": user.id,
                "company_id": user.company_id,
                "company_at": user.traits.newest_event_at,
                **user.traits.core,
                "traits": user.traits.custom,
                "fields_at": user.traits.stored_fields_at,
                "said": user.traits.digest(user.company_id),
                "first_seen_at": user.first_seen_at,
                "left_out": user.traits.left_out,
                "moved_at": user.moved_at,
                "event_at": user.event_at,
            }
            for user in users
        ],
        "id bigint, company_id bigint, company_at timestamptz, email text, name text,"
        " traits jsonb, fields_at jsonb, said uuid, first_seen_at timestamptz, left_out jsonb,"
        " moved_at timestamptz, event_at timestamptz",
        organization_id=organization_id,
    )


def read_page(
    organization_id: int, company_id: int, *, after: str | None = None, limit: int = 50
) -> tuple[list[ListedUser], str | None]:
    """Return the users of a company, last seen first, and the cursor of the next page.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    rows = query(
        "select id as row_id, external_id as id, name, email, first_seen_at,"
        " case when moved_at = company_at then event_at else company_at end as last_event_at,"
        " company_at, traits, left_out from users"
        " where organization_id = %(organization_id)s and company_id = %(company_id)s"
        f"{_LAST_SEEN_FIRST.condition(['company_at', 'id'], after, descending=True)}"
        " order by company_at desc, users.id desc limit %(limit)s",
        {
            "organization_id": organization_id,
            "company_id": company_id,
            "limit": limit + 1,
            **_LAST_SEEN_FIRST.read(after),
        },
    )
    users = [_listed_user(row) for row in rows[:limit]]
    return users, _LAST_SEEN_FIRST.next_page(rows, limit, "company_at", "row_id")


def count(organization_id: int, company_id: int) -> int:
    """Count the users of a company."""
    users = UserRow.select().where(
        UserRow.organization == organization_id, UserRow.company_id == company_id
    )
    number: int = users.count()
    return number


def _listed_user(row: dict[str, Any]) -> ListedUser:
    left_out = row["left_out"] and LeftOut.stored(row["left_out"])
    columns = {name: row[name] for name in ListedUser.__dataclass_fields__}
    return ListedUser(**columns | {"left_out": left_out})


def _user(row: dict[str, Any]) -> User:
    core = {name: row[name] for name in CORE_FIELDS}
    traits = Traits.stored(
        core,
        row["traits"],
        row["fields_at"],
        row["company_at"],
        digest=row["said"],
        left_out=row["left_out"],
    )
    return User(
        row["id"],
        row["company_id"],
        traits,
        row["first_seen_at"],
        row["moved_at"],
        row["event_at"],
    )
