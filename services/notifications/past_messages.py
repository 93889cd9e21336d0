"""How many messages the entries of rules would have sent about the changes of the last month."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.notifications import past_changes
from models.notifications.past_changes import PastChange
from rules.book import RuleBook
from rules.judging.state import Cause
from rules.notify.entries import HealthChange
from rules.notify.notices import CompanyChange, count_messages
from services.notifications.outbox import owner_in

MONTH = timedelta(days=30)

MOST_CHANGES = 20_000
"""The newest changes that are counted."""


@dataclass(frozen=True)
class PastMessages:
    """How many messages there would have been, and at night; not `complete` beyond some changes."""

    messages: int
    at_night: int
    complete: bool


def sends_otherwise(book: RuleBook, former: RuleBook | None) -> bool:
    """Whether rules would have sent other messages than the former ones about the same changes."""

    def settings(rules: RuleBook) -> tuple[object, ...]:
        return rules.notify, rules.statuses, rules.team.owner

    return bool(book.notify) and (former is None or settings(book) != settings(former))


def count_past_messages(organization_id: int, book: RuleBook, now: datetime) -> PastMessages:
    """Count the messages that rules would have sent in the last 30 days.

    The changes are those that were recorded then, by the rules of their time, whenever they
    happened; whether an entry applies to a company is decided by its fields as they are now.
    Imported changes notify nobody.
    """
    of_flags = any(condition.flag for entry in book.notify for condition in entry.when)
    changes = past_changes.list_recorded(
        organization_id, since=now - MONTH, limit=MOST_CHANGES, of_flags=of_flags
    )
    counted = count_messages(
        book.notify, [as_company_change(c, book) for c in changes if not _is_renaming(c)]
    )
    return PastMessages(counted.messages, counted.at_night, len(changes) < MOST_CHANGES)


def as_company_change(change: PastChange, book: RuleBook) -> CompanyChange:
    """Return a recorded change with the levels that other rules give its statuses."""
    flags = {
        step["flag"]: (book.level_of(step["from"]), book.level_of(step["to"]))
        for step in change.changes
    }
    return CompanyChange(
        change.recorded_at,
        HealthChange(book.level_of(change.from_status), book.level_of(change.to_status), flags),
        change.fields,
        owner_in(change.fields, book),
        change.rules_version if change.cause == Cause.RULE_CHANGE else None,
    )


def _is_renaming(change: PastChange) -> bool:
    return change.cause == Cause.RULE_CHANGE and not change.changes
