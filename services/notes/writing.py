"""Writing notes about companies, with the mentions in them, in the caller's transaction."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from models.companies import company_notes
from models.companies.company_notes import NewNote, Note
from models.people import mentions
from models.people.mentions import NamedMember
from services.errors import ServiceError
from services.notes.text import AT, Mention, parts_of

LONGEST = 10_000
"""Characters of a note."""

MOST_MENTIONED = 20
"""Members whom a note mentions."""

_MOST_EMAILS = 3
"""Emails of members with the same name that an error lists."""


class NoteRefused(ServiceError):
    """Raised when a note cannot be written; the message is a sentence for its author."""


@dataclass(frozen=True)
class WrittenNote:
    """A note that was added or changed, and the members whom it mentions.

    `newly_mentioned` are the ids of those whom it did not mention before.
    """

    id: int
    company_id: int
    author_id: int
    at: datetime
    text: str
    mentioned: tuple[NamedMember, ...] = ()
    newly_mentioned: tuple[int, ...] = ()

    @property
    def audit_detail(self) -> dict[str, object]:
        """What the audit log records about it."""
        emails = [member.email for member in self.mentioned]
        return {"note": self.id, **({"mentioned": emails} if emails else {})}


def add(new: NewNote, *, form_id: UUID | None = None) -> WrittenNote | None:
    """Add a note; None if the same form has added it before.

    Raises:
        NoteRefused: It mentions too many, or somebody whose name others have too, or is too long.
    """
    text, mentioned = _as_stored(new.organization_id, new.text)
    note_id = company_notes.add(replace(new, text=text), form_id=form_id)
    if note_id is None:
        return None
    written = WrittenNote(note_id, new.company_id, new.person_id, new.at, text)
    return _with_mentions(new.organization_id, written, mentioned) if mentioned else written


def edit(note: Note, text: str, at: datetime) -> WrittenNote | None:
    """Change the text of a note; None if it stays the same.

    Raises:
        NoteRefused: As for `add`.
    """
    stored, mentioned = _as_stored(note.organization_id, text)
    if stored == note.text:
        return None
    company_notes.edit(note, stored, at)
    written = WrittenNote(note.id, note.company_id, note.person_id, at, stored)
    return _with_mentions(note.organization_id, written, mentioned)


def _with_mentions(
    organization_id: int, written: WrittenNote, mentioned: tuple[NamedMember, ...]
) -> WrittenNote:
    ids = [member.person_id for member in mentioned]
    new = mentions.replace(organization_id, written.id, written.author_id, ids, written.at)
    return replace(written, mentioned=mentioned, newly_mentioned=tuple(new))


def _as_stored(organization_id: int, text: str) -> tuple[str, tuple[NamedMember, ...]]:
    """Return a text with an email in each mention, and the members whom it mentions."""
    members = mentions.list_members(organization_id) if AT in text else []
    mentioned: dict[int, NamedMember] = {}
    parts = []
    for part in parts_of(text, members):
        if isinstance(part, Mention):
            member = _only(part)
            mentioned[member.person_id] = member
            parts.append(f"{AT}{member.email}")
        else:
            parts.append(part if isinstance(part, str) else part.text)
    stored = "".join(parts)
    if len(mentioned) > MOST_MENTIONED:
        raise NoteRefused(
            f"This note mentions {len(mentioned)} people. The most are {MOST_MENTIONED}."
        )
    if len(stored) > LONGEST:
        raise NoteRefused(
            f"With the emails of those it mentions, this note has {len(stored):,} characters."
            f" The most are {LONGEST:,}."
        )
    return stored, tuple(mentioned.values())


def _only(mention: Mention) -> NamedMember:
    if len(mention.members) == 1:
        return mention.members[0]
    emails = [f"{AT}{member.email}" for member in mention.members]
    listed = ", ".join(emails[:_MOST_EMAILS])
    more = ", or another email" if len(emails) > _MOST_EMAILS else ""
    raise NoteRefused(
        f"{len(emails)} people have the name {mention.text[1:]}. Write one of {listed}{more}."
    )
