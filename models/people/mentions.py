"""Mentions: which members a note about a company mentions, and whether they have read it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.cursors import Cursor
from models.database import execute, query
from models.folding import folded


@dataclass(frozen=True)
class NamedMember:
    """A member as notes mention them: written by the email, shown by the present name."""

    person_id: int
    email: str
    name: str


@dataclass(frozen=True)
class EmailedMember:
    """A member who gets an email about a mention, in this time zone."""

    person_id: int
    email: str
    time_zone: str | None


MOST_UNREAD = 100
"""Unread mentions that are counted; the count is this if there are more."""

MENTIONED = (
    "(select coalesce(json_agg(json_build_object("
    "'person_id', r.id, 'email', r.email, 'name', r.name) order by r.id), '[]')"
    " from note_mentions x join people r on r.id = x.person_id"
    " where x.organization_id = %(organization_id)s and x.note_id = n.id)"
)
"""SQL for the members whom a note `n` mentions, for `read_members`."""

_NEWEST_FIRST = Cursor("mentions", ("timestamptz", "bigint"))


@dataclass(frozen=True)
class ReceivedMention:
    """A note that mentions a member, since `at`; `company` is the client's own id."""

    note_id: int
    at: datetime
    unread: bool
    company: str
    company_name: str
    author: str
    text: str
    mentioned: Sequence[NamedMember]


def read_members(listed: Sequence[dict[str, Any]]) -> tuple[NamedMember, ...]:
    """Return the members that `MENTIONED` has selected."""
    return tuple(NamedMember(**member) for member in listed)


def list_members(organization_id: int) -> list[NamedMember]:
    """Return all members of an organization, by email."""
    rows = query(
        "select p.id as person_id, p.email, p.name from memberships m"
        " join people p on p.id = m.person_id"
        " where m.organization_id = %(organization_id)s order by p.email",
        {"organization_id": organization_id},
    )
    return [NamedMember(**row) for row in rows]


def find_members(organization_id: int, text: str, *, limit: int) -> list[NamedMember]:
    """Return members whose name or email has a text, first those whose name or email begins so.

    The domain of an email counts only after what is before it. Case and accents do not matter.
    Members who are disabled are left out.
    """
    rows = query(
        f"""
        select person_id, email, name from (
            select p.id as person_id, p.email, p.name, {folded("p.name")} as folded_name,
                {folded("p.email")} as folded_email, {folded("%(text)s::text")} as sought
            from memberships m join people p on p.id = m.person_id
            where m.organization_id = %(organization_id)s and p.disabled_at is null
        ) member
        where position(sought in folded_name) > 0 or starts_with(folded_email, sought)
            or position(sought in split_part(folded_email, '@', 1)) > 0
        order by starts_with(folded_name, sought) or starts_with(folded_email, sought) desc,
            folded_name, person_id
        limit %(limit)s
        """,
        {"organization_id": organization_id, "text": text, "limit": limit},
    )
    return [NamedMember(**row) for row in rows]


def replace(
    organization_id: int, note_id: int, author_id: int, mentioned: Collection[int], at: datetime
) -> list[int]:
    """Let a note mention these members, and no others; whom it mentions already, it still does.

    The author has read the note. Return the members whom it did not mention before.
    """
    parameters = {
        "organization_id": organization_id,
        "note_id": note_id,
        "author_id": author_id,
        "mentioned": list(mentioned),
        "at": at,
    }
    execute(
        "delete from note_mentions where organization_id = %(organization_id)s"
        " and note_id = %(note_id)s and person_id <> all(%(mentioned)s::bigint[])",
        parameters,
    )
    rows = query(
        "insert into note_mentions (organization_id, note_id, person_id, at, read_at)"
        " select %(organization_id)s, %(note_id)s, m.person_id, %(at)s,"
        " case when m.person_id = %(author_id)s then %(at)s::timestamptz end"
        " from memberships m where m.organization_id = %(organization_id)s"
        # A membership that ends meanwhile is waited for.
        " and m.person_id = any(%(mentioned)s::bigint[]) for key share"
        " on conflict do nothing returning person_id",
        parameters,
    )
    return [row["person_id"] for row in rows]


def find_emailed(organization_id: int, person_ids: Collection[int]) -> list[EmailedMember]:
    """Return those of some members who want emails about mentions, and may sign in."""
    rows = query(
        "select p.id as person_id, p.email, p.time_zone from memberships m"
        " join people p on p.id = m.person_id"
        " where m.organization_id = %(organization_id)s"
        " and m.person_id = any(%(person_ids)s::bigint[])"
        " and p.mention_emails and p.disabled_at is null order by p.id",
        {"organization_id": organization_id, "person_ids": list(person_ids)},
    )
    return [EmailedMember(**row) for row in rows]


def read_page(
    organization_id: int,
    person_id: int,
    *,
    unread_only: bool = False,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[ReceivedMention], str | None]:
    """Return the notes that mention a member, newest first, and the cursor of the next page.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    rows = query(
        "select x.note_id, x.at, x.read_at is null as unread, c.external_id as company,"
        f" c.name as company_name, a.name as author, n.text, {MENTIONED} as mentioned"
        " from note_mentions x"
        " join company_notes n on n.organization_id = x.organization_id and n.id = x.note_id"
        " join companies c on c.organization_id = n.organization_id and c.id = n.company_id"
        " join people a on a.id = n.person_id"
        " where x.organization_id = %(organization_id)s and x.person_id = %(person_id)s"
        f"{' and x.read_at is null' if unread_only else ''}"
        f"{_NEWEST_FIRST.condition(['x.at', 'x.note_id'], after, descending=True)}"
        " order by x.at desc, x.note_id desc limit %(limit)s",
        {
            "organization_id": organization_id,
            "person_id": person_id,
            "limit": limit + 1,
            **_NEWEST_FIRST.read(after),
        },
    )
    listed = [
        ReceivedMention(**{**row, "mentioned": read_members(row["mentioned"])})
        for row in rows[:limit]
    ]
    return listed, _NEWEST_FIRST.next_page(rows, limit, "at", "note_id")


def count_unread(organization_id: int, person_id: int) -> int:
    """Count the unread mentions of a member, up to `MOST_UNREAD`."""
    rows = query(
        "select count(*) as number from (select from note_mentions"
        " where organization_id = %(organization_id)s and person_id = %(person_id)s"
        " and read_at is null limit %(most)s) unread",
        {"organization_id": organization_id, "person_id": person_id, "most": MOST_UNREAD},
    )
    number: int = rows[0]["number"]
    return number


def mark_read(organization_id: int, person_id: int, note_id: int, at: datetime) -> None:
    """Note that a member has read the note that mentions them."""
    execute(
        "update note_mentions set read_at = %(at)s where organization_id = %(organization_id)s"
        " and person_id = %(person_id)s and note_id = %(note_id)s and read_at is null",
        {
            "organization_id": organization_id,
            "person_id": person_id,
            "note_id": note_id,
            "at": at,
        },
    )


def mark_all_read(organization_id: int, person_id: int, until: datetime, at: datetime) -> None:
    """Note that a member has read all notes that have mentioned them up to an instant."""
    execute(
        "update note_mentions set read_at = %(at)s where organization_id = %(organization_id)s"
        " and person_id = %(person_id)s and at <= %(until)s and read_at is null",
        {"organization_id": organization_id, "person_id": person_id, "until": until, "at": at},
    )
