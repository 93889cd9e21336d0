"""What people write down about companies. A note that is deleted is gone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.cursors import Cursor
from models.database import execute, query


@dataclass(frozen=True)
class NewNote:
    """One that is to be."""

    organization_id: int
    company_id: int
    person_id: int
    at: datetime
    text: str


@dataclass(frozen=True)
class Note(NewNote):
    """One row; `author` is the person's name as it is now."""

    id: int
    author: str
    edited_at: datetime | None


_NEWEST_FIRST = Cursor("notes", ("timestamptz", "bigint"))

_LISTED = (
    "select n.id, n.organization_id, n.company_id, n.person_id, p.name as author, n.at, n.text,"
    " n.edited_at from company_notes n join people p on p.id = n.person_id"
    " where n.organization_id = %(organization_id)s and n.company_id = %(company_id)s"
)


def add(new: NewNote) -> int:
    """Write a note; its id."""
    rows = query(
        "insert into company_notes (organization_id, company_id, person_id, at, text)"
        " values (%(organization_id)s, %(company_id)s, %(person_id)s, %(at)s, %(text)s)"
        " returning id",
        vars(new),
    )
    number: int = rows[0]["id"]
    return number


def find(organization_id: int, company_id: int, note_id: int) -> Note | None:
    """One note of a company."""
    rows = query(
        f"{_LISTED} and n.id = %(id)s",
        {"organization_id": organization_id, "company_id": company_id, "id": note_id},
    )
    return Note(**rows[0]) if rows else None


def edit(note: Note, text: str, at: datetime) -> None:
    """Let a note say something else."""
    execute(
        "update company_notes set text = %(text)s, edited_at = %(at)s"
        " where organization_id = %(organization_id)s and id = %(id)s",
        {"organization_id": note.organization_id, "id": note.id, "text": text, "at": at},
    )


def remove(note: Note) -> None:
    """Delete a note."""
    execute(
        "delete from company_notes where organization_id = %(organization_id)s and id = %(id)s",
        {"organization_id": note.organization_id, "id": note.id},
    )


def read_page(
    organization_id: int, company_id: int, *, after: str | None = None, limit: int = 50
) -> tuple[list[Note], str | None]:
    """The notes of a company, newest first, and what to ask for the next ones with.

    Raises:
        UnreadableCursor: `after` is not what an earlier page gave.
    """
    parameters: dict[str, Any] = {
        "organization_id": organization_id,
        "company_id": company_id,
        "limit": limit + 1,
    }
    rows = query(
        f"{_LISTED}{_NEWEST_FIRST.condition(['n.at', 'n.id'], after, descending=True)}"
        " order by n.at desc, n.id desc limit %(limit)s",
        parameters | _NEWEST_FIRST.read(after),
    )
    found = [Note(**row) for row in rows[:limit]]
    more = len(rows) > limit
    return found, _NEWEST_FIRST.write([found[-1].at, found[-1].id]) if more else None


def count(organization_id: int, company_id: int) -> int:
    """How many notes a company has."""
    [row] = query(
        "select count(*) as number from company_notes"
        " where organization_id = %(organization_id)s and company_id = %(company_id)s",
        {"organization_id": organization_id, "company_id": company_id},
    )
    number: int = row["number"]
    return number
