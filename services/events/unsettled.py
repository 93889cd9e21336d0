"""Marks the companies whose health a record can change. Most records can change none."""

from collections.abc import Sequence
from typing import NamedTuple

from models.companies.company_intake import CompanyForIntake
from models.companies.fields.field_merge import FieldChange
from rules.book import RuleBook
from services.events.records import FieldUpdate, PlacedRecord


class MergedRecord(NamedTuple):
    """A stored event or update, its locked company, and the fields that it changed.

    An event is `out_of_order` if a newer one exists.
    """

    record: PlacedRecord
    company: CompanyForIntake
    changes: Sequence[FieldChange]
    out_of_order: bool


def mark_unsettled(merged: Sequence[MergedRecord], version: int, book: RuleBook | None) -> None:
    """Mark the companies for which a record can change a flag of the rules in force.

    `book` is None if this process cannot read the rules, which leaves it to one that can.
    """
    for item in merged:
        if book is None or item.company.judged_version != version or _can_change_flag(item, book):
            unsettle(item.company, item.record)


def unsettle(company: CompanyForIntake, record: PlacedRecord) -> None:
    """Mark a company to be evaluated from the time at which a record takes effect."""
    since = record.takes_effect_at
    if company.unsettled_since is None or since < company.unsettled_since:
        company.unsettled_since, company.unsettled = since, True


def _can_change_flag(item: MergedRecord, book: RuleBook) -> bool:
    record, awaiting = item.record, item.company.awaiting
    if item.changes and any(
        change.field in book.company_fields and (not change.late or not record.is_late)
        for change in item.changes
    ):
        return True
    if isinstance(record, FieldUpdate):
        return False
    return any(
        flag.selector.matches(record.event_key, record.data)
        for flag in book.flags_counting(record.event_key)
        if flag.name in awaiting or (item.out_of_order and flag.affected_by_late_events)
    )
