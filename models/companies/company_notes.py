"""Notes that people write about companies. A deleted note cannot be restored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.companies.tables import CompanyNoteRow
from models.cursors import Cursor
from models.database import query
from models.people.mentions import MENTIONED, NamedMember, read_members


@dataclass(frozen=True)
class NewNote:
    """A note to add."""

    organization_id: int
    company_id: int
    person_id: int
    at: datetime
    text: str


@dataclass(frozen=True)
class Note(NewNote):
    """A note; `author` is the person's current name."""

    id: int
    author: str
    edited_at: datetime | None
    mentioned: Sequence[NamedMember]


_NEWEST_FIRST = Cursor("notes", ("timestamptz", "bigint"))

_LISTED = (
    "select n.id, n.organization_id, n.company_id, n.person_id, p.name as author, n.at, n.text,"
    f" n.edited_at, {MENTIONED} as mentioned"
    " from company_notes n join people p on p.id = n.person_id"
    " where n.organization_id = %(organization_id)s and n.company_id = %(company_id)s"
)


def add(new: NewNote, *, form_id: UUID | None = None) -> int | None:
    """Add a note and return its id; None if the same form has added it before."""
    insert = CompanyNoteRow.insert(
        organization=new.organization_id,
        company_id=new.company_id,
        person=new.person_id,
        at=new.at,
        text=new.text,
        form_id=form_id,
    )
    notes = list(insert.on_conflict_ignore().returning(CompanyNoteRow.id).execute())
    return notes[0].id if notes else None


def find(organization_id: int, company_id: int, note_id: int) -> Note | None:
    """Return one note of a company."""
    rows = query(
        f"{_LISTED} and n.id = %(id)s",
        {"organization_id": organization_id, "company_id": company_id, "id": note_id},
    )
    return _note(rows[0]) if rows else None


def edit(note: Note, text: str, at: datetime) -> None:
    """Change the text of a note."""
    CompanyNoteRow.update(text=text, edited_at=at).where(_is(note)).execute()


def remove(note: Note) -> None:
    """Delete a note."""
    CompanyNoteRow.delete().where(_is(note)).execute()


def read_page(
    organization_id: int, company_id: int, *, after: str | None = None, limit: int = 50
) -> tuple[list[Note], str | None]:
    """Return the notes of a company, newest first, and the cursor of the next page.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
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
    return [_note(row) for row in rows[:limit]], _NEWEST_FIRST.next_page(rows, limit, "at", "id")


def count(organization_id: int, company_id: int) -> int:
    """Count the notes of a company."""
    notes = CompanyNoteRow.select().where(
        CompanyNoteRow.organization == organization_id, CompanyNoteRow.company_id == company_id
    )
    number: int = notes.count()
    return number


def _note(row: dict[str, Any]) -> Note:
    return Note(**{**row, "mentioned": read_members(row["mentioned"])})


def _is(note: Note) -> Any:
    return (CompanyNoteRow.organization == note.organization_id) & (CompanyNoteRow.id == note.id)
