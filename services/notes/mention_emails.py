"""Emails to the members whom new notes mention.

They are added in the transaction that writes the notes, one for a member and an action, and sent as
notifications are. Authors get none about their own notes.
"""

from collections.abc import Sequence

from models.companies import companies
from models.companies.companies import Company
from models.notifications import messages
from models.organizations.organizations import Organization
from models.people import mentions, people
from models.people.mentions import EmailedMember
from services.notes.text import AT
from services.notes.writing import WrittenNote
from services.notifications.content import (
    LONGEST_NAME,
    MOST_LINES,
    Content,
    Line,
    local_time,
    shorten,
)
from services.page_addresses import segment

LONGEST_TEXT = 1_000
"""Characters of a note in an email."""


def add(organization: Organization, notes: Sequence[WrittenNote]) -> None:
    """Add an email for each member whom some notes of one author newly mention."""
    mentioned = {id_ for note in notes for id_ in note.newly_mentioned if id_ != note.author_id}
    if not mentioned:
        return
    author = people.find_by_id(notes[0].author_id)
    for member in mentions.find_emailed(organization.id, mentioned):
        about = [note for note in notes if member.person_id in note.newly_mentioned]
        ids = [note.company_id for note in about[:MOST_LINES]]
        by_id = {company.id: company for company in companies.find_by_ids(organization.id, ids)}
        content = _compose(organization, author.name if author else "", member, about, by_id)
        messages.add_mention(organization.id, member.email, content.as_json(), about[0].at)


def _compose(
    organization: Organization,
    author: str,
    member: EmailedMember,
    notes: Sequence[WrittenNote],
    by_id: dict[int, Company],
) -> Content:
    who = shorten(author, LONGEST_NAME).strip() or "A colleague"
    path = f"/o/{segment(organization.name)}"
    lines = tuple(
        Line(
            _name(by_id[note.company_id]),
            f"{path}/companies/{segment(by_id[note.company_id].external_id)}/notes",
            f"note by {who}",
            shorten(_with_names(note), LONGEST_TEXT),
            "",
            local_time(note.at, member.time_zone or "UTC"),
        )
        for note in notes[:MOST_LINES]
    )
    where = f"a note about {lines[0].company}" if len(notes) == 1 else f"{len(notes):,} notes"
    title = f"{who} mentioned you in {where}"
    return Content(title, organization.name, lines, len(notes) - len(lines), f"{path}/mentions")


def _name(company: Company) -> str:
    name = shorten(company.name, LONGEST_NAME).strip()
    return name or shorten(company.external_id, LONGEST_NAME)


def _with_names(note: WrittenNote) -> str:
    """Return the text of a note with the names of those whom it mentions, as pages show it."""
    text = note.text
    for member in sorted(note.mentioned, key=lambda member: -len(member.email)):
        text = text.replace(f"{AT}{member.email}", f"{AT}{member.name.strip() or member.email}")
    return text
