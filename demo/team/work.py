"""What the team of the demo did about raised flags: touched late or soon, in work, done, late."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from models.health.work_items import item_changes, item_edits
from models.health.work_items.item_changes import ItemChange
from models.health.work_items.item_edits import PastItem
from models.people import memberships
from models.people.memberships import ListedMember
from services.work_items.states import State

RECENT = timedelta(days=60)
"""How far back items were worked on; older ones are from before the team had the worklist."""

TOUCHED = 0.7
"""The share of items that somebody did something about."""

MEDIAN_HOURS = 9.0
ASSIGNED = 0.2
PLANNED = 0.6

STATES = (State.SEEN, State.SEEN, State.WORKING, State.WORKING, State.WORKING, State.DONE)

STEPS = (
    "Call their administrator",
    "Ask who takes over from their champion",
    "Offer a training of one hour",
    "Review the rollout with their team lead",
    "Send the guide for integrations",
    "Agree on a plan before the renewal",
)


def work_on_items(
    organization_id: int, company_ids: Collection[int], now: datetime, chance: Random
) -> None:
    """Touch the recent items of companies, in the current transaction."""
    members = memberships.list_for_organization(organization_id)
    if not members:
        return
    items = item_edits.list_all(organization_id, company_ids)
    changed: list[PastItem] = []
    changes: list[ItemChange] = []
    for item in items:
        until = item.closed_at or now
        touched_at = item.opened_at + timedelta(hours=chance.lognormvariate(0, 1) * MEDIAN_HOURS)
        is_touched = chance.random() < TOUCHED and touched_at < until
        if item.opened_at < now - RECENT or not is_touched:
            continue
        item.touched_at = touched_at
        changed.append(item)
        for action, detail in _changes(item, members, now, chance):
            by = members[0]
            changes.append(
                ItemChange(
                    organization_id, item.id, item.company_id, touched_at, by.person_id, by.email,
                    action, detail,
                )
            )  # fmt: skip
    item_edits.save(organization_id, changed)
    item_changes.add(changes)


def _changes(
    item: PastItem, members: list[ListedMember], now: datetime, chance: Random
) -> list[tuple[str, dict[str, Any]]]:
    """Change an item, and return the entries of its history."""
    state = chance.choice(STATES)
    changes: list[tuple[str, dict[str, Any]]] = [("state", {"was": item.state, "to": state})]
    item.state = state
    if state is State.SEEN:
        return changes
    if chance.random() < ASSIGNED:
        member = chance.choice(members)
        item.assignee_id = member.person_id
        detail = {"was": None, "to": member.person_id, "name": member.email}
        changes.append(("assignee_id", detail))
    if chance.random() < PLANNED:
        step, day = chance.choice(STEPS), _day(now, chance)
        changes.append(("next_step", {"was": item.next_step, "to": step}))
        changes.append(("due_on", {"was": None, "to": day.isoformat()}))
        item.next_step, item.due_on = step, day
    return changes


def _day(now: datetime, chance: Random) -> date:
    """Return a date around today, a few of them past."""
    return (now + timedelta(days=chance.randint(-4, 12))).date()
