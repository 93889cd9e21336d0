"""Undoes one action on items, where nobody has changed the same since."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from models.health.work_items import item_edits
from models.health.work_items.item_changes import ListedChange
from models.health.work_items.item_edits import EditableItem
from services.health.overrides import JudgingContext
from services.work_items.edits import Edited, Editor, change_of, log, save
from services.work_items.snoozes import SNOOZED, end_snoozes

COLUMNS = ("state", "assignee_id", "next_step", "due_on")


def can_undo(changes: Sequence[ListedChange]) -> bool:
    """Whether an action can be undone; a note stays where its company's notes are."""
    return bool(changes) and changes[0].action in (*COLUMNS, SNOOZED)


def undo(
    organization_id: int,
    changes: Sequence[ListedChange],
    editor: Editor,
    context: JudgingContext,
) -> Edited:
    """Undo changes of one action, a chunk of them, in the current transaction."""
    action = changes[0].action
    if action == SNOOZED:
        overrides = {change.item_id: int(change.detail["override"]) for change in changes}
        return end_snoozes(organization_id, overrides, editor, context)
    former = {change.item_id: change.detail for change in changes}
    items = item_edits.lock(organization_id, former)
    undone = []
    entries = []
    for item in items:
        detail = former[item.id]
        if getattr(item, action) == _value(action, detail["to"]):
            _restore(item, action, detail["was"])
            undone.append(item)
            swapped = {"was": detail["to"], "to": detail["was"]}
            entries.append(change_of(organization_id, item, action, swapped, editor))
    save(organization_id, undone, entries, editor)
    log(organization_id, undone, editor, action, {"undone": True})
    return Edited(len(undone), len(items) - len(undone), len(changes) - len(items))


def _restore(item: EditableItem, column: str, value: Any) -> None:
    setattr(item, column, _value(column, value))


def _value(column: str, value: Any) -> Any:
    return date.fromisoformat(value) if column == "due_on" and value is not None else value
