"""Snoozes and overrides of companies' flags by people, and ending them early.

Each function locks the company, writes the override, evaluates the company up to now, and returns
the deliveries to enqueue after the commit. While events wait to be stored, the clock evaluates
the company again once they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.companies import companies
from models.companies.companies import Company
from models.health import flag_overrides
from models.health.flag_overrides import NewOverride, StoredOverride
from models.organizations import rule_versions
from models.webhooks.deliveries import Request
from rules.book import RuleBook
from rules.durations import format_instant
from rules.faults import did_you_mean
from rules.one_line import is_one_line
from services.errors import ServiceError
from services.health.evaluation import OldestUnresolved, StoredUntilOf, bring_up_to_date
from services.rules.rule_books import RuleBooks

LONGEST_REASON = 1_000
LONGEST_OWNER = 200
"""Characters."""


class OverrideRefused(ServiceError):
    """Raised when a flag cannot be overridden as asked; the message is a sentence for people."""


class NoSuchCompany(OverrideRefused):
    """Raised when an organization has no company with an id."""


class NoSuchFlag(OverrideRefused):
    """Raised when the rules in force have no flag with a name."""


class NoSuchStatus(OverrideRefused):
    """Raised when the rules in force have no status with a name."""


class EndInPast(OverrideRefused):
    """Raised when an override would end before it starts."""


class InvalidJustification(OverrideRefused):
    """Raised when a reason, an owner or an author is missing or too long."""


class NotOverridden(OverrideRefused):
    """Raised when a flag to end is neither snoozed nor overridden."""


@dataclass(frozen=True)
class FlagOfCompany:
    """A flag of a company, which is named by the client's own id."""

    organization_id: int
    company: str
    flag: str


@dataclass(frozen=True)
class Justification:
    """Why a flag is overridden, who is responsible, and who does it; each on one line."""

    reason: str
    owner: str
    made_by: str


@dataclass(frozen=True)
class JudgingContext:
    """The rule books, the present, and how far companies may be judged; see `evaluate`."""

    rulebooks: RuleBooks
    now: datetime
    stored_until: StoredUntilOf
    oldest_unresolved: OldestUnresolved = lambda _: None


@dataclass(frozen=True)
class OverrideResult:
    """An override as written, its evaluated company, and the deliveries to enqueue."""

    override: StoredOverride
    company: Company
    deliveries: Sequence[Request]


def snooze(
    target: FlagOfCompany,
    until: datetime,
    justification: Justification,
    context: JudgingContext,
) -> OverrideResult:
    """Ignore a flag and notify nobody of its changes, from now until an instant.

    An override that is in force ends now.

    Raises:
        OverrideRefused: there is no such company or flag, the end is not in the future, or the
            justification is invalid. Nothing was changed.
        RulesUnreadable: the rules in force cannot be read.
    """
    return _put_in_force(target, None, until, justification, context)


def override(
    target: FlagOfCompany,
    status: str,
    until: datetime | None,
    justification: Justification,
    context: JudgingContext,
) -> OverrideResult:
    """Set a flag to a status from now until an instant; with None, until the override is ended.

    An override that is in force ends now.

    Raises:
        OverrideRefused: as for `snooze`, or there is no such status.
        RulesUnreadable: the rules in force cannot be read.
    """
    return _put_in_force(target, status, until, justification, context)


def end(target: FlagOfCompany, ended_by: str, context: JudgingContext) -> OverrideResult:
    """End an override: the flag has the status that its rule gives it again.

    Raises:
        OverrideRefused: there is no such company, or the flag is not overridden.
        RulesUnreadable: the rules in force cannot be read.
    """
    company = _lock(target)
    current = _in_force(company, target.flag)
    if current is None or (current.ends_at is not None and current.ends_at <= context.now):
        raise NotOverridden(f"`{target.flag}` of `{target.company}` is not snoozed or overridden.")
    ended_by = _checked("who ends it", ended_by, LONGEST_OWNER)
    at = max(context.now, current.starts_at, company.recorded_until or context.now)
    _end(current, at, ended_by, "ended by hand")
    return _evaluate(company, current.id, at, context)


def _put_in_force(
    target: FlagOfCompany,
    status: str | None,
    until: datetime | None,
    justification: Justification,
    context: JudgingContext,
) -> OverrideResult:
    reason = _checked("a reason", justification.reason, LONGEST_REASON)
    owner = _checked("an owner", justification.owner, LONGEST_OWNER)
    made_by = _checked("who does it", justification.made_by, LONGEST_OWNER)
    company = _lock(target)
    book, book_since = _rules_in_force(target, context.rulebooks)
    _check(target, status, book)
    former = _in_force(company, target.flag)
    # The clocks of machines differ by a moment; an effect must not precede its cause.
    earlier = (book_since, company.recorded_until, former and former.starts_at)
    at = max([context.now, *(instant for instant in earlier if instant)])
    if until is not None and until <= at:
        raise EndInPast(f"{format_instant(until)} is not ahead; it is {format_instant(at)}.")
    if former is not None:
        _end(former, at, made_by, "replaced by another")
    new = NewOverride(
        target.organization_id, company.id, target.flag, status, reason, owner, made_by, at, until
    )
    return _evaluate(company, flag_overrides.add(new).id, at, context)


def _lock(target: FlagOfCompany) -> Company:
    company = companies.find(target.organization_id, target.company)
    if company is None:
        raise NoSuchCompany(f"There is no company with the id `{target.company}`.")
    return companies.lock(company.organization_id, [company.id])[company.id]


def _rules_in_force(
    target: FlagOfCompany, rulebooks: RuleBooks
) -> tuple[RuleBook, datetime | None]:
    """Return the book in force and the time at which it was applied."""
    organization_id = target.organization_id
    number = rule_versions.read_current(organization_id)
    version = rule_versions.find(organization_id, number)
    return rulebooks.book(organization_id, number), version.applied_at if version else None


def _check(target: FlagOfCompany, status: str | None, book: RuleBook) -> None:
    if target.flag not in book.flags_by_name:
        suggestion = did_you_mean(target.flag, book.flags_by_name)
        raise NoSuchFlag(f"The rules in force have no flag `{target.flag}`{suggestion or '.'}")
    if status is not None and status not in book.statuses:
        statuses = ", ".join(f"`{name}`" for name in book.statuses)
        raise NoSuchStatus(f"The rules in force have no status `{status}`; they have {statuses}.")


def _checked(what: str, text: str, longest: int) -> str:
    text = text.strip()
    if not text:
        raise InvalidJustification(f"State {what}.")
    if len(text) > longest or not is_one_line(text):
        raise InvalidJustification(f"State {what} on one line of at most {longest} characters.")
    return text


def _in_force(company: Company, flag: str) -> StoredOverride | None:
    overrides = flag_overrides.list_open(company.organization_id, [company.id])
    of_company = overrides.get(company.id, ())
    return next((o for o in of_company if o.flag == flag and o.ended_at is None), None)


def _end(former: StoredOverride, at: datetime, by: str, because: str) -> None:
    """End an override, unless its time is already over and only not recorded yet."""
    if former.ends_at is not None and former.ends_at <= at:
        ended = replace(former, ended_at=former.ends_at, ended_by="time")
    else:
        ended = replace(former, ended_at=at, ended_by=by, ended_because=because)
    flag_overrides.save(ended)


def _evaluate(
    company: Company, override_id: int, at: datetime, context: JudgingContext
) -> OverrideResult:
    result = bring_up_to_date(
        company.organization_id,
        [company],
        context.rulebooks,
        at,
        stored_until=context.stored_until,
        oldest_unresolved=context.oldest_unresolved,
    )
    written = flag_overrides.find(company.organization_id, override_id)
    if written is None:
        raise LookupError(f"override {override_id} is gone though its company is locked")
    return OverrideResult(written, company, result.written)
