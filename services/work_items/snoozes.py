"""Snoozes the flags of many items at once, and ends such snoozes.

The companies of a chunk are locked and evaluated together, which a snooze of one flag does alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from models.companies import companies
from models.companies.companies import Company
from models.health import flag_overrides
from models.health.flag_overrides import NewOverride, StoredOverride
from models.health.work_items import item_edits
from models.health.work_items.item_edits import EditableItem
from models.organizations import rule_versions
from models.webhooks.deliveries import Request
from services.health.evaluation import bring_up_to_date
from services.health.overrides import LONGEST_REASON, JudgingContext
from services.work_items.edits import Edited, Editor, EditRefused, change_of, log, save

DAYS = (1, 3, 7, 14, 30, 90)
"""For how long a person can choose to snooze a flag."""

SNOOZED = "snoozed"
UNSNOOZED = "unsnoozed"
"""The actions of the changes."""


def snooze(
    organization_id: int,
    item_ids: Collection[int],
    until: datetime,
    reason: str,
    editor: Editor,
    context: JudgingContext,
) -> Edited:
    """Snooze the flags of items until an instant; those that are overridden already are left out.

    Raises:
        EditRefused: The reason is not one line, or the end is not in the future.
        RulesUnreadable: The rules in force cannot be read.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise EditRefused(f"State a reason on one line of at most {LONGEST_REASON:,} characters.")
    items = item_edits.lock(organization_id, item_ids)
    locked = companies.lock(organization_id, {item.company_id for item in items})
    in_force = _in_force(organization_id, locked)
    version = rule_versions.read_current(organization_id)
    applied = rule_versions.find(organization_id, version)
    flags = context.rulebooks.book(organization_id, version).flags_by_name
    chosen = [
        item
        for item in items
        if item.flag in flags and (item.company_id, item.flag) not in in_force
    ]
    # The clocks of machines differ by a moment; an effect must not precede its cause.
    earlier = [applied and applied.applied_at, *(c.recorded_until for c in locked.values())]
    at = max([context.now, *(instant for instant in earlier if instant)])
    if until <= at:
        raise EditRefused("A snooze ends in the future.")
    changes = []
    for item in chosen:
        made_by = editor.maker.name
        new = NewOverride(
            organization_id, item.company_id, item.flag, None, reason, made_by, made_by, at, until
        )
        override = flag_overrides.add(new)
        detail = {"until": until.isoformat(), "reason": reason, "override": override.id}
        changes.append(change_of(organization_id, item, SNOOZED, detail, editor))
    save(organization_id, chosen, changes, editor)
    log(organization_id, chosen, editor, SNOOZED, {"until": until.isoformat(), "reason": reason})
    edited = Edited(len(chosen), len(items) - len(chosen), len(item_ids) - len(items))
    edited.deliveries += _evaluate(organization_id, locked, chosen, at, context)
    item_edits.mark(organization_id, [item.id for item in chosen], snoozed=True)
    return edited


def end_snoozes(
    organization_id: int,
    overrides: Mapping[int, int],
    editor: Editor,
    context: JudgingContext,
) -> Edited:
    """End overrides that are still in force, by the items that they were made for."""
    items = item_edits.lock(organization_id, overrides)
    locked = companies.lock(organization_id, {item.company_id for item in items})
    in_force = _in_force(organization_id, locked)
    at = max([context.now, *(c.recorded_until for c in locked.values() if c.recorded_until)])
    chosen, changes = [], []
    for item in items:
        stored = in_force.get((item.company_id, item.flag))
        if stored is not None and stored.id == overrides[item.id]:
            ended = replace(
                stored, ended_at=at, ended_by=editor.maker.name, ended_because="ended by hand"
            )
            flag_overrides.save(ended)
            chosen.append(item)
            changes.append(
                change_of(organization_id, item, UNSNOOZED, {"override": stored.id}, editor)
            )
    save(organization_id, chosen, changes, editor)
    log(organization_id, chosen, editor, UNSNOOZED, {})
    edited = Edited(len(chosen), len(items) - len(chosen), len(overrides) - len(items))
    edited.deliveries += _evaluate(organization_id, locked, chosen, at, context)
    item_edits.mark(organization_id, [item.id for item in chosen], snoozed=False)
    return edited


def _in_force(
    organization_id: int, locked: Mapping[int, Company]
) -> dict[tuple[int, str], StoredOverride]:
    stored = flag_overrides.list_open(organization_id, list(locked))
    return {
        (company_id, override.flag): override
        for company_id, of_company in stored.items()
        for override in of_company
        if override.ended_at is None
    }


def _evaluate(
    organization_id: int,
    locked: Mapping[int, Company],
    items: Sequence[EditableItem],
    at: datetime,
    context: JudgingContext,
) -> list[Request]:
    """Record that the flags of items count otherwise from an instant on."""
    ids = {item.company_id for item in items}
    result = bring_up_to_date(
        organization_id,
        [company for company in locked.values() if company.id in ids],
        context.rulebooks,
        at,
        stored_until=context.stored_until,
        oldest_unresolved=context.oldest_unresolved,
    )
    return list(result.written)
