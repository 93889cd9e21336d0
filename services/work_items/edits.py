"""Changes that people make to items, one or many at once, each with its history and audit entry.

Each function changes the items of one chunk in the current transaction. What has been closed, or
is that way already, is left out and counted.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from models.companies.company_notes import NewNote
from models.health.work_items import item_changes, item_edits
from models.health.work_items.item_changes import ItemChange
from models.health.work_items.item_edits import EditableItem
from models.organizations import audit_log
from models.organizations.organizations import Organization
from models.webhooks.deliveries import Request
from services.accounts.audit import Maker, change_by
from services.errors import ServiceError
from services.notes import mention_emails, writing
from services.notes.writing import LONGEST
from services.work_items.states import NEXT_STEP_LENGTH, State

CHUNK = 200
"""Items that one transaction changes."""

MOST_AT_ONCE = 2_000
"""Items that one action changes."""


class EditRefused(ServiceError):
    """Raised when items cannot be changed as asked; the message is a sentence for people."""


@dataclass(frozen=True)
class Editor:
    """Who changes items, when; `batch` is the same for all chunks of one action.

    `form_id` is that of the form that asks for it; a form that is sent twice adds a note once.
    `undoes` is the batch of the action that is undone.
    """

    maker: Maker
    at: datetime
    batch: UUID | None = None
    form_id: UUID | None = None
    undoes: UUID | None = None


@dataclass
class Edited:
    """How many items were changed, were that way already, and had been closed meanwhile."""

    changed: int = 0
    same: int = 0
    gone: int = 0
    deliveries: list[Request] = field(default_factory=list)

    def add(self, other: "Edited") -> None:
        """Add the numbers of another chunk."""
        self.changed += other.changed
        self.same += other.same
        self.gone += other.gone
        self.deliveries += other.deliveries


@dataclass(frozen=True)
class Edit:
    """New values of a column of items.

    `shown` is the new value as the audit log and the history show it, if it differs.
    """

    column: str
    value: Any
    shown: str | None = None


def state_edit(state: State) -> Edit:
    """Return the edit that sets the state."""
    return Edit("state", str(state))


def assignee_edit(person_id: int | None, email: str | None) -> Edit:
    """Return the edit that assigns items to a person; None leaves them to the owners."""
    return Edit("assignee_id", person_id, email)


def next_step_edit(text: str) -> Edit:
    """Return the edit that sets the next step.

    Raises:
        EditRefused: It is not one line, or too long.
    """
    text = text.strip()
    if len(text) > NEXT_STEP_LENGTH or not text.isprintable():
        raise EditRefused(f"A next step is one line of at most {NEXT_STEP_LENGTH} characters.")
    return Edit("next_step", text or None)


def due_edit(day: date | None) -> Edit:
    """Return the edit that sets the date."""
    return Edit("due_on", day)


def apply(organization_id: int, item_ids: Collection[int], edit: Edit, editor: Editor) -> Edited:
    """Set a column of items."""
    items = item_edits.lock(organization_id, item_ids)
    changed = [item for item in items if getattr(item, edit.column) != edit.value]
    changes = [
        change_of(
            organization_id,
            item,
            edit.column,
            {"was": _plain(getattr(item, edit.column)), "to": _plain(edit.value)}
            | ({"name": edit.shown} if edit.shown else {}),
            editor,
        )
        for item in changed
    ]
    for item in changed:
        setattr(item, edit.column, edit.value)
    save(organization_id, changed, changes, editor)
    shown = edit.shown or _plain(edit.value)
    log(organization_id, changed, editor, edit.column, {"to": shown})
    return Edited(len(changed), len(items) - len(changed), len(item_ids) - len(items))


def add_note(
    organization: Organization,
    item_ids: Collection[int],
    text: str,
    editor: Editor,
    *,
    by_email: bool = False,
) -> Edited:
    """Add a note to the companies of items, one to each; mentions of members may go by email, too.

    Raises:
        EditRefused: The text is empty or too long, or no person writes it.
        NoteRefused: The note cannot be written; see `services.notes.writing`.
    """
    text = text.strip()
    person_id = editor.maker.person_id
    if person_id is None or not text or len(text) > LONGEST or "\0" in text:
        raise EditRefused(f"A note has 1 to {LONGEST:,} characters.")
    organization_id = organization.id
    items = item_edits.lock(organization_id, item_ids)
    added = {}
    for company_id in dict.fromkeys(item.company_id for item in items):
        new = NewNote(organization_id, company_id, person_id, editor.at, text)
        # What one form sends about one company; with another text, it is not the same.
        form_id = editor.form_id and uuid5(editor.form_id, f"{company_id} {text}")
        if written := writing.add(new, form_id=form_id):
            added[company_id] = written
    if by_email:
        mention_emails.add(organization, list(added.values()))
    noted = [item for item in items if item.company_id in added]
    changes = [change_of(organization_id, item, "note", {"text": text}, editor) for item in noted]
    save(organization_id, noted, changes, editor)
    log(organization_id, noted, editor, "note", {"text": text})
    return Edited(len(noted), len(items) - len(noted), len(item_ids) - len(items))


def save(
    organization_id: int,
    items: Sequence[EditableItem],
    changes: Sequence[ItemChange],
    editor: Editor,
) -> None:
    """Store changed items, which somebody has touched now, with their history.

    What an undone action was the first to touch counts as touched by what came after it, if at all.
    """
    touches: dict[int, datetime | None] = {}
    if editor.undoes:
        ids = [item.id for item in items]
        touches = item_changes.next_touches(organization_id, ids, editor.undoes)
    for item in items:
        item.touched_at = touches.get(item.id, item.touched_at or editor.at)
    item_edits.save(organization_id, items)
    item_changes.add(changes)


def change_of(
    organization_id: int, item: EditableItem, action: str, detail: dict[str, Any], editor: Editor
) -> ItemChange:
    """Return the entry of an item's history for a change of it."""
    return ItemChange(
        organization_id,
        item.id,
        item.company_id,
        editor.at,
        editor.maker.person_id,
        editor.maker.name,
        action,
        detail,
        editor.batch,
    )


def log(
    organization_id: int,
    items: Sequence[EditableItem],
    editor: Editor,
    action: str,
    detail: dict[str, Any],
) -> None:
    """Write the audit entry of a change of items."""
    if not items:
        return
    subject = f"{len(items)} work items"
    if len(items) == 1:
        subject = f"{items[0].flag} of {items[0].company_name} ({items[0].company})"
    detail = {"changed": action, **detail, "items": [item.id for item in items]}
    change = change_by(editor.maker, editor.at, "Work items changed", subject, detail)
    audit_log.add(organization_id, change)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
