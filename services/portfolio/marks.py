"""Marks the companies whose part in the daily figures a stored record changed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime

from models.portfolio import stale_companies
from models.portfolio.stale_companies import EVER
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
    since: dict[int, date] = {}
    for item in merged:
        company_id, seen = item.company.id, item.company.first_seen_at
        times = [change.at for change in item.changes if change.field == field]
        if seen is not None and (company_id in added or seen != first_seen.get(company_id)):
            times.append(seen)
        for at in times:
            day = at.astimezone(UTC).date()
            since[company_id] = min(day, since.get(company_id, day))
    stale_companies.mark(organization_id, dict.fromkeys(added, EVER) | since)
