"""What people write down about a company. Plain text: whoever reads it sees what was written."""

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, TextAreaField
from wtforms.validators import Length, ValidationError

from dashboard.access import Member, Role, audit, editor, viewer
from dashboard.pages.company.frame import blueprint, find_company, show
from dashboard.web.context import now
from dashboard.web.forms import required, trimmed
from dashboard.web.request_values import place
from models.companies import company_notes
from models.companies.companies import Company
from models.companies.company_notes import NewNote, Note
from models.database import transaction

PAGE = 20
LONGEST = 10_000
"""Characters."""


def one_kind_of_line_end(text: str | None) -> str | None:
    """A filter: forms send lines that end in CR LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if text else text


def _no_nul(_form: object, field: TextAreaField) -> None:
    if "\0" in str(field.data):
        raise ValidationError("Use plain text.")


class NoteForm(Form):
    """The text of a note."""

    text = TextAreaField(
        "Note",
        [
            required("a note"),
            Length(max=LONGEST, message=f"A note has at most {LONGEST:,} characters."),
            _no_nul,
        ],
        filters=[one_kind_of_line_end, trimmed],
        render_kw={"rows": 3, "maxlength": LONGEST},
    )


@blueprint.get("/notes")
@viewer
def notes(member: Member, company: str) -> ResponseReturnValue:
    """All notes of a company, newest first."""
    with transaction():
        found = find_company(member, company)
        return _list(member, found, NoteForm())


@blueprint.post("/notes")
@editor
def add_note(member: Member, company: str) -> ResponseReturnValue:
    """Write a note."""
    form = NoteForm(request.form)
    with transaction():
        found = find_company(member, company)
        if not form.validate():
            return _list(member, found, form), 422
        text = str(form.text.data)
        new = NewNote(member.organization.id, found.id, member.person.id, now(), text)
        note_id = company_notes.add(new)
        audit.record(member, "Note added", about(found), {"note": note_id})
    flash("Your note was added.")
    return redirect(url_for(".notes"), 303)


@blueprint.get("/notes/<int:note_id>")
@editor
def note(member: Member, company: str, note_id: int) -> ResponseReturnValue:
    """One note of one's own, to edit it."""
    with transaction():
        found = find_company(member, company)
        own = _own_note(member, found, note_id)
    return show("company/note.html", found, form=NoteForm(text=own.text), note=own)


@blueprint.post("/notes/<int:note_id>")
@editor
def edit_note(member: Member, company: str, note_id: int) -> ResponseReturnValue:
    """Let a note of one's own say something else."""
    form = NoteForm(request.form)
    with transaction():
        found = find_company(member, company)
        own = _own_note(member, found, note_id)
        if not form.validate():
            return show("company/note.html", found, form=form, note=own), 422
        text = str(form.text.data)
        if text != own.text:
            company_notes.edit(own, text, now())
            audit.record(member, "Note edited", about(found), {"note": note_id})
    flash("Your note was changed.")
    return redirect(url_for(".notes"), 303)


@blueprint.post("/notes/<int:note_id>/delete")
@editor
def delete_note(member: Member, company: str, note_id: int) -> ResponseReturnValue:
    """Delete a note of one's own, or as an administrator anybody's."""
    with transaction():
        found = find_company(member, company)
        known = _find(member, found, note_id)
        if not may_delete(member, known):
            abort(403)
        company_notes.remove(known)
        detail = {"note": note_id, "by": known.author, "at": known.at.isoformat()}
        audit.record(member, "Note deleted", about(found), detail)
    flash("The note was deleted.")
    return redirect(url_for(".notes"), 303)


def may_edit(member: Member, one: Note) -> bool:
    """Whether a member may change what a note says: its author, while they are an editor."""
    return member.may(Role.EDITOR) and one.person_id == member.person.id


def may_delete(member: Member, one: Note) -> bool:
    """Whether a member may delete a note: its author, or an administrator."""
    return may_edit(member, one) or member.may(Role.ADMINISTRATOR)


def about(company: Company) -> str:
    """A company as the audit log names it."""
    return f"{company.name} ({company.external_id})"


def _list(member: Member, company: Company, form: NoteForm) -> str:
    listed, following = company_notes.page(
        member.organization.id, company.id, after=place(), limit=PAGE
    )
    return show(
        "company/notes.html",
        company,
        rows="company/notes_rows.html",
        notes=listed,
        form=form,
        may_edit=may_edit,
        may_delete=may_delete,
        next=url_for(".notes", after=following) if following else None,
        first=url_for(".notes") if place() else None,
    )


def _find(member: Member, company: Company, note_id: int) -> Note:
    return company_notes.find(member.organization.id, company.id, note_id) or abort(404)


def _own_note(member: Member, company: Company, note_id: int) -> Note:
    found = _find(member, company, note_id)
    if not may_edit(member, found):
        abort(403)
    return found
