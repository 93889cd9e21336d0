"""Notes about a company. They are plain text, shown as written, with links and mentions."""

from uuid import UUID, uuid4, uuid5

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, HiddenField, TextAreaField
from wtforms.validators import Length, ValidationError

from dashboard.access import Member, Role, audit, editor, viewer
from dashboard.pages.company.frame import blueprint, find_company, show
from dashboard.web.context import app_context, now
from dashboard.web.forms import normalize_line_ends, required, trimmed
from dashboard.web.request_values import page_cursor
from models.companies import company_notes
from models.companies.companies import Company
from models.companies.company_notes import NewNote, Note
from models.database import transaction
from services.notes import mention_emails, writing
from services.notes.writing import LONGEST, NoteRefused, WrittenNote

PAGE = 20


def _no_nul(_form: object, field: TextAreaField) -> None:
    if "\0" in str(field.data):
        raise ValidationError("Use plain text.")


class NoteForm(Form):
    """The text of a note; `form_id` differs for each form, so that one sent twice counts once."""

    form_id = HiddenField(default=lambda: str(uuid4()))

    text = TextAreaField(
        "Note",
        [
            required("a note"),
            Length(max=LONGEST, message=f"A note can have at most {LONGEST:,} characters."),
            _no_nul,
        ],
        filters=[normalize_line_ends, trimmed],
        render_kw={"rows": 3, "maxlength": LONGEST},
        description="@ and a name or an email mentions a colleague.",
    )

    def note_refusal(self, error: NoteRefused) -> None:
        """Show why a note was refused."""
        self.text.errors = [str(error)]


@blueprint.get("/notes")
@viewer
def notes(member: Member, company_id: str) -> ResponseReturnValue:
    """Show all notes about a company, newest first."""
    with transaction():
        company = find_company(member, company_id)
        return _list(member, company, NoteForm())


@blueprint.post("/notes")
@editor
def add_note(member: Member, company_id: str) -> ResponseReturnValue:
    """Add a note."""
    form = NoteForm(request.form)
    with transaction():
        company = find_company(member, company_id)
        if not form.validate():
            return _list(member, company, form), 422
        text = str(form.text.data)
        new = NewNote(member.organization.id, company.id, member.person.id, now(), text)
        try:
            added = writing.add(new, form_id=_form_id(form))
        except NoteRefused as error:
            form.note_refusal(error)
            return _list(member, company, form), 422
        if added:
            _email_mentions(member, added)
            audit.record(member, "Note added", audit_subject(company), added.audit_detail)
    flash("Your note was added.")
    return redirect(url_for(".notes"), 303)


@blueprint.get("/notes/<int:note_id>")
@editor
def note(member: Member, company_id: str, note_id: int) -> ResponseReturnValue:
    """Show the form to edit one of the member's own notes."""
    with transaction():
        company = find_company(member, company_id)
        own = _own_note(member, company, note_id)
    return show("company/note.html", company, form=NoteForm(text=own.text), note=own)


@blueprint.post("/notes/<int:note_id>")
@editor
def edit_note(member: Member, company_id: str, note_id: int) -> ResponseReturnValue:
    """Change the text of one of the member's own notes."""
    form = NoteForm(request.form)
    with transaction():
        company = find_company(member, company_id)
        own = _own_note(member, company, note_id)
        if not form.validate():
            return show("company/note.html", company, form=form, note=own), 422
        try:
            edited = writing.edit(own, str(form.text.data), now())
        except NoteRefused as error:
            form.note_refusal(error)
            return show("company/note.html", company, form=form, note=own), 422
        if edited:
            _email_mentions(member, edited)
            audit.record(member, "Note edited", audit_subject(company), edited.audit_detail)
    flash("Your note was updated.")
    return redirect(url_for(".notes"), 303)


@blueprint.post("/notes/<int:note_id>/delete")
@editor
def delete_note(member: Member, company_id: str, note_id: int) -> ResponseReturnValue:
    """Delete one of the member's own notes; an administrator may delete any."""
    with transaction():
        company = find_company(member, company_id)
        deleted = _find(member, company, note_id)
        if not may_delete(member, deleted):
            abort(403)
        company_notes.remove(deleted)
        detail = {"note": note_id, "by": deleted.author, "at": deleted.at.isoformat()}
        audit.record(member, "Note deleted", audit_subject(company), detail)
    flash("The note was deleted.")
    return redirect(url_for(".notes"), 303)


def _email_mentions(member: Member, note: WrittenNote) -> None:
    """Write to the members whom a note newly mentions, if this installation sends email."""
    if app_context().settings.smtp is not None:
        mention_emails.add(member.organization, [note])


def _form_id(form: NoteForm) -> UUID | None:
    """Return an id of what a form sends; a form with another text is not the same one."""
    try:
        return uuid5(UUID(form.form_id.data), str(form.text.data))
    except (TypeError, ValueError):
        return None


def may_edit(member: Member, note: Note) -> bool:
    """Whether a member may change a note: only its author, while they are an editor."""
    return member.may(Role.EDITOR) and note.person_id == member.person.id


def may_delete(member: Member, note: Note) -> bool:
    """Whether a member may delete a note: its author, or an administrator."""
    return may_edit(member, note) or member.may(Role.ADMINISTRATOR)


def audit_subject(company: Company) -> str:
    """Return how the audit log names a company."""
    return f"{company.name} ({company.external_id})"


def _list(member: Member, company: Company, form: NoteForm) -> str:
    listed, next_cursor = company_notes.read_page(
        member.organization.id, company.id, after=page_cursor(), limit=PAGE
    )
    return show(
        "company/notes.html",
        company,
        rows="company/notes_rows.html",
        notes=listed,
        form=form,
        may_edit=may_edit,
        may_delete=may_delete,
        next=url_for(".notes", after=next_cursor) if next_cursor else None,
        first=url_for(".notes") if page_cursor() else None,
    )


def _find(member: Member, company: Company, note_id: int) -> Note:
    return company_notes.find(member.organization.id, company.id, note_id) or abort(404)


def _own_note(member: Member, company: Company, note_id: int) -> Note:
    own = _find(member, company, note_id)
    if not may_edit(member, own):
        abort(403)
    return own
