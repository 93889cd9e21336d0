"""Marks the companies whose part in the daily figures a stored record changed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from models.portfolio import stale_companies
from rules.book import RuleBook
from services.events.unsettled import MergedRecord


def mark_portfolio(
    organization_id: int,
    added: Collection[int],
    merged: Sequence[MergedRecord],
    first_seen: Mapping[int, datetime | None],
    book: RuleBook | None,
) -> None:
    """Mark companies that were added, were first seen earlier than was known, or changed value.

    `first_seen` is when they were first seen before the records were merged. Without a `book`, the
    field of values is not known; all companies are counted once rules that can be read are applied.
    """
    field = book.team.value[0] if book and book.team.value else None
    marked = set(added)
    for item in merged:
        moved = item.company.first_seen_at != first_seen.get(item.company.id)
        if moved or any(change.field == field for change in item.changes):
            marked.add(item.company.id)
    stale_companies.mark(organization_id, marked)
