"""Enters, changes and deletes outcomes, with an audit entry for each change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from models.companies.companies import Company
from models.organizations import audit_log
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome, Outcome
from services.accounts.audit import Maker, change_by
from services.errors import ServiceError

LONGEST_NOTE = 2_000
"""Characters."""

MOST = Decimal(10) ** 15
"""Amounts are less."""

FIRST_DAY = date(1970, 1, 1)
TIME_ZONES = timedelta(days=1)
"""How far a day may be in the future, since it has begun elsewhere."""


class OutcomeRefused(ServiceError):
    """Raised when an outcome cannot be entered; the message is a sentence for a person.

    `field` is the part of the outcome that is wrong: `day`, `amount` or `note`.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Entered(StrEnum):
    """What entering an outcome did."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class EnteredOutcome:
    """An outcome that is stored, and what entering it did."""

    outcome: Outcome
    did: Entered


def check(outcome: NewOutcome, now: datetime) -> None:
    """Check an outcome.

    Raises:
        OutcomeRefused: it cannot be entered.
    """
    if outcome.day > (now.astimezone(UTC) + TIME_ZONES).date():
        raise OutcomeRefused("day", "An outcome cannot be in the future.")
    if outcome.day < FIRST_DAY:
        raise OutcomeRefused("day", f"A day is {FIRST_DAY} or later.")
    if outcome.amount is not None and not 0 <= outcome.amount < MOST:
        raise OutcomeRefused("amount", f"An amount is 0 or more, and less than {MOST:,}.")
    if len(outcome.note) > LONGEST_NOTE:
        raise OutcomeRefused("note", f"A note can have at most {LONGEST_NOTE:,} characters.")
    if "\0" in outcome.note:
        raise OutcomeRefused("note", "Use plain text.")


def enter(company: Company, new: NewOutcome, maker: Maker, now: datetime) -> EnteredOutcome:
    """Enter an outcome of a company, or change the amount and note of the one that exists.

    Raises:
        OutcomeRefused: it cannot be entered.
    """
    check(new, now)
    organization_id = company.organization_id
    entered = outcomes.enter(organization_id, [new], maker.name, now)
    if entered:
        [(_, is_new)] = entered
        did = Entered.CREATED if is_new else Entered.CHANGED
        action = "Outcome added" if is_new else "Outcome changed"
        _record(organization_id, company.name, action, _detail(new), maker, now)
    else:
        did = Entered.UNCHANGED
    stored = outcomes.list_for_companies(organization_id, [company.id])
    return EnteredOutcome(
        next(each for each in stored if (each.kind, each.day) == (new.kind, new.day)), did
    )


def change(
    organization_id: int, before: Outcome, after: Outcome, maker: Maker, now: datetime
) -> None:
    """Change an outcome.

    Raises:
        OutcomeRefused: it cannot be changed, or the company has another one like it.
    """
    check(after, now)
    if after == before:
        return
    if not outcomes.change(organization_id, after, now):
        message = f"{before.company_name} has an outcome of this kind on this day already."
        raise OutcomeRefused("day", message)
    detail = {"from": _detail(before), "to": _detail(after)}
    _record(organization_id, before.company_name, "Outcome changed", detail, maker, now)


def remove(organization_id: int, outcome: Outcome, maker: Maker, now: datetime) -> None:
    """Delete an outcome."""
    outcomes.remove(organization_id, outcome)
    detail = _detail(outcome)
    _record(organization_id, outcome.company_name, "Outcome deleted", detail, maker, now)


def _detail(outcome: NewOutcome) -> dict[str, Any]:
    return {
        "kind": outcome.kind.value,
        "day": outcome.day.isoformat(),
        "amount": None if outcome.amount is None else str(outcome.amount),
    }


def _record(
    organization_id: int,
    subject: str,
    action: str,
    detail: Mapping[str, Any],
    maker: Maker,
    now: datetime,
) -> None:
    audit_log.add(organization_id, change_by(maker, now, action, subject, detail))
