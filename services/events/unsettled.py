"""Marks the companies whose health an event can change. Most events can change none."""

from collections.abc import Sequence
from typing import NamedTuple

from models.companies.company_intake import CompanyForIntake
from models.companies.fields.field_merge import FieldChange
from rules.book import RuleBook
from services.events.tracked_event import TrackedEvent


class MergedEvent(NamedTuple):
    """A stored event, its locked company, the fields it changed, and whether a newer one exists."""

    event: TrackedEvent
    company: CompanyForIntake
    changes: Sequence[FieldChange]
    out_of_order: bool


def mark_unsettled(merged: Sequence[MergedEvent], version: int, book: RuleBook | None) -> None:
    """Mark the companies for which an event can change a flag of the rules in force.

    `book` is None if this process cannot read the rules, which leaves it to one that can.
    """
    for item in merged:
        if book is None or item.company.judged_version != version or _can_change_flag(item, book):
            unsettle(item.company, item.event)


def unsettle(company: CompanyForIntake, event: TrackedEvent) -> None:
    """Mark a company to be evaluated from the time at which an event takes effect."""
    since = event.takes_effect_at
    if company.unsettled_since is None or since < company.unsettled_since:
        company.unsettled_since, company.unsettled = since, True


def _can_change_flag(item: MergedEvent, book: RuleBook) -> bool:
    event, awaiting = item.event, item.company.awaiting
    if item.changes and any(
        change.field in book.company_fields and (not change.late or not event.is_late)
        for change in item.changes
    ):
        return True
    return any(
        flag.selector.matches(event.event_key, event.data)
        for flag in book.flags_counting(event.event_key)
        if flag.name in awaiting or (item.out_of_order and flag.affected_by_late_events)
    )
