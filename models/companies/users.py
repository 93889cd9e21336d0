"""Users of companies, and their fields."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.bulk import query_over
from models.companies.external_ids import ExternalKey, find_row_ids
from models.companies.fields.field_digests import FieldDigest, RowGone, lock_and_touch
from models.companies.fields.field_limits import LeftOut
from models.companies.fields.field_merge import Traits
from models.companies.tables import UserRow
from models.cursors import Cursor
from models.database import query

UserKey = ExternalKey


@dataclass
class User:
    """A user's row, locked by the transaction that read it."""

    id: int
    company_id: int
    traits: Traits
    first_seen_at: datetime

    def merge_event(self, sent: Mapping[str, Any], company_id: int, at: datetime) -> None:
        """Merge the fields of an event of the time `at`, and the company that it belongs to."""
        self.traits.merge(sent, at)
        if self.traits.newest_event_at == at:
            self.company_id = company_id
        self.first_seen_at = min(at, self.first_seen_at)


@dataclass(frozen=True)
class ListedUser:
    """A user as lists show it; `last_event_at` is the time of their newest event."""

    id: str
    name: str | None
    email: str | None
    first_seen_at: datetime
    last_event_at: datetime
    traits: dict[str, Any]
    left_out: LeftOut | None


_LAST_SEEN_FIRST = Cursor("users", ("timestamptz", "bigint"))


def find_ids(keys: Collection[UserKey]) -> dict[UserKey, int]:
    """Return the ids of the existing users with these keys."""
    return find_row_ids("users", keys)


def lock_for_intake(digests: Sequence[FieldDigest]) -> dict[int, User]:
    """Lock the users of events, in the order of their ids; return the ones to merge, by id.

    If events repeat the field values of the newest event before them, only the time of the newest
    event changes, which is written here.

    Raises:
        RowGone: One of the users no longer exists.
    """
    if not digests:
        return {}
    [row] = lock_and_touch(
        "users",
        digests,
        newest="company_at",
        since="first_seen_at",  # there is no history that a late event could change
        select="count(*) as locked, array_agg(id) filter (where not repeated) as to_merge",
    )
    if row["locked"] < len(digests):
        raise RowGone
    return _with_ids(row["to_merge"]) if row["to_merge"] else {}


def _with_ids(ids: Sequence[int]) -> dict[int, User]:
    rows = query(
        "select id, company_id, email, name, traits, fields_at, company_at, said, first_seen_at,"
        " left_out from users where id = any(%(ids)s)",
        {"ids": ids},
    )
    return {row["id"]: _user(row) for row in rows}


def add(users: Iterable[tuple[UserKey, int, datetime]]) -> None:
    """Add users by key, company and time of the first event, except those that exist by now."""
    query_over(
        "insert into users (organization_id, external_id, company_id, company_at, first_seen_at)"
        " select organization_id, external_id, company_id, seen_at, seen_at from v"
        " on conflict (organization_id, external_id) do nothing",
        [
            {
                "organization_id": organization_id,
                "external_id": external_id,
                "company_id": company_id,
                "seen_at": seen_at,
            }
            for (organization_id, external_id), company_id, seen_at in sorted(users)
        ],
        "organization_id bigint, external_id text, company_id bigint, seen_at timestamptz",
    )


def save(users: Iterable[User]) -> None:
    """Store the users whose fields or company have changed."""
    query_over(
        "update users u set company_id = v.company_id, company_at = v.company_at, email = v.email,"
        " name = v.name, traits = v.traits, fields_at = v.fields_at, said = v.said,"
        " first_seen_at = v.first_seen_at, left_out = v.left_out from v where u.id = v.id",
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
            }
            for user in users
        ],
        "id bigint, company_id bigint, company_at timestamptz, email text, name text,"
        " traits jsonb, fields_at jsonb, said uuid, first_seen_at timestamptz, left_out jsonb",
    )


def read_page(
    company_id: int, *, after: str | None = None, limit: int = 50
) -> tuple[list[ListedUser], str | None]:
    """Return the users of a company, last seen first, and the cursor of the next page.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    rows = query(
        "select id as row_id, external_id as id, name, email, first_seen_at,"
        " company_at as last_event_at, traits, left_out from users"
        " where company_id = %(company_id)s"
        f"{_LAST_SEEN_FIRST.condition(['company_at', 'id'], after, descending=True)}"
        " order by company_at desc, users.id desc limit %(limit)s",
        {"company_id": company_id, "limit": limit + 1, **_LAST_SEEN_FIRST.read(after)},
    )
    users = [_listed_user(row) for row in rows[:limit]]
    return users, _LAST_SEEN_FIRST.next_page(rows, limit, "last_event_at", "row_id")


def count(company_id: int) -> int:
    """Count the users of a company."""
    number: int = UserRow.select().where(UserRow.company == company_id).count()
    return number


def _listed_user(row: dict[str, Any]) -> ListedUser:
    left_out = row["left_out"] and LeftOut.stored(row["left_out"])
    columns = {name: row[name] for name in ListedUser.__dataclass_fields__}
    return ListedUser(**columns | {"left_out": left_out})


def _user(row: dict[str, Any]) -> User:
    core = {"email": row["email"], "name": row["name"]}
    traits = Traits.stored(
        core,
        row["traits"],
        row["fields_at"],
        row["company_at"],
        digest=row["said"],
        left_out=row["left_out"],
    )
    return User(row["id"], row["company_id"], traits, row["first_seen_at"])
