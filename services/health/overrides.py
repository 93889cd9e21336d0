"""What people do to flags of companies by hand: snooze them, override them, end that early.

Each runs within the transaction at hand and under the company's lock: it writes, judges the
company up to now, and records what changed with the deliveries that tell it, which are to be asked
for afterwards. While events wait to be stored, the clock has it judged when they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from models.companies import companies
from models.companies.companies import Company
from models.health import flag_overrides
from models.health.flag_overrides import NewOverride, StoredOverride
from models.organizations import rule_versions
from rules.book import RuleBook
from rules.durations import format_instant
from rules.faults import did_you_mean
from services.health.evaluation import bring_up_to_date
from services.rules.rule_books import RuleBooks

LONGEST_REASON = 1_000
LONGEST_OWNER = 200


class OverrideRefused(Exception):
    """Raised when a flag cannot be overridden as asked; says why in a sentence for people."""


class NoSuchCompany(OverrideRefused):
    """Raised when an organization has no company with an id."""


class NoSuchFlag(OverrideRefused):
    """Raised when the rules in force have no flag with a name."""


class NoSuchStatus(OverrideRefused):
    """Raised when the rules in force have no status with a name."""


class EndInPast(OverrideRefused):
    """Raised when an override would be over before it begins."""


class InvalidJustification(OverrideRefused):
    """Raised when a reason, an owner or who asks is not said, or not in a few words."""


class NotOverridden(OverrideRefused):
    """Raised when a flag is neither snoozed nor overridden."""


@dataclass(frozen=True)
class FlagOfCompany:
    """Which flag of which company, by the client's own id."""

    organization_id: int
    company: str
    flag: str


@dataclass(frozen=True)
class Justification:
    """Why a flag is overridden, who answers for it, and who does it; each on one line."""

    reason: str
    owner: str
    made_by: str


@dataclass(frozen=True)
class JudgingContext:
    """What judging needs: the rule books, the present, and up to when all events are stored."""

    rulebooks: RuleBooks
    now: datetime
    stored_until: datetime


@dataclass(frozen=True)
class OverrideResult:
    """An override as it was written, its company as it is then, and the deliveries that tell it."""

    override: StoredOverride
    company: Company
    deliveries: Sequence[UUID]


def snooze(target: FlagOfCompany, until: datetime, grounds: Justification, judging: JudgingContext) -> OverrideResult:
    """Let a flag not count, and tell nobody of its changes, from now until an instant.

    What overrode it before ends now.

    Raises:
        OverrideRefused: there is no such company or flag, the end is not ahead, or no reason or
            owner is given. Nothing was changed.
        RulesUnreadable: the rules in force cannot be read.
    """
    return _put_in_force(target, None, until, grounds, judging)


def override(
    target: FlagOfCompany,
    status: str,
    until: datetime | None,
    grounds: Justification,
    judging: JudgingContext,
) -> OverrideResult:
    """Let a flag count as a status from now until an instant, or with None until it is ended.

    What overrode it before ends now.

    Raises:
        OverrideRefused: as `snooze`, or there is no such status.
        RulesUnreadable: the rules in force cannot be read.
    """
    return _put_in_force(target, status, until, grounds, judging)


def end(target: FlagOfCompany, ended_by: str, judging: JudgingContext) -> OverrideResult:
    """Let a flag count as it is judged again from now on.

    Raises:
        OverrideRefused: there is no such company, or the flag is not overridden.
        RulesUnreadable: the rules in force cannot be read.
    """
    company = _lock(target)
    found = _in_force(company, target.flag)
    if found is None or (found.ends_at is not None and found.ends_at <= judging.now):
        raise NotOverridden(f"`{target.flag}` of `{target.company}` is not snoozed or overridden.")
    ended_by = _said("who ends it", ended_by, LONGEST_OWNER)
    at = max(judging.now, found.starts_at, company.recorded_until or judging.now)
    _end(found, at, ended_by, "ended by hand")
    return _judge(company, found.id, at, judging)


def _put_in_force(
    target: FlagOfCompany,
    status: str | None,
    until: datetime | None,
    grounds: Justification,
    judging: JudgingContext,
) -> OverrideResult:
    reason = _said("a reason", grounds.reason, LONGEST_REASON)
    owner = _said("an owner", grounds.owner, LONGEST_OWNER)
    made_by = _said("who does it", grounds.made_by, LONGEST_OWNER)
    company = _lock(target)
    book, book_since = _rules_in_force(target, judging.rulebooks)
    _check(target, status, book)
    former = _in_force(company, target.flag)
    # Clocks of machines differ by a moment; what happens after something is not before it.
    known = (book_since, company.recorded_until, former and former.starts_at)
    at = max([judging.now, *(instant for instant in known if instant)])
    if until is not None and until <= at:
        raise EndInPast(f"{format_instant(until)} is not ahead; it is {format_instant(at)}.")
    if former is not None:
        _end(former, at, made_by, "replaced by another")
    new = NewOverride(
        target.organization_id, company.id, target.flag, status, reason, owner, made_by, at, until
    )
    return _judge(company, flag_overrides.add(new).id, at, judging)


def _lock(target: FlagOfCompany) -> Company:
    found = companies.find(target.organization_id, target.company)
    if found is None:
        raise NoSuchCompany(f"There is no company with the id `{target.company}`.")
    return companies.lock([found.id])[found.id]


def _rules_in_force(
    target: FlagOfCompany, rulebooks: RuleBooks
) -> tuple[RuleBook, datetime | None]:
    """The book in force, and since when it is."""
    organization_id = target.organization_id
    number = rule_versions.current_numbers([organization_id])[organization_id]
    version = rule_versions.find(organization_id, number)
    return rulebooks.book(organization_id, number), version.applied_at if version else None


def _check(target: FlagOfCompany, status: str | None, book: RuleBook) -> None:
    if target.flag not in book.flags_by_name:
        hint = did_you_mean(target.flag, book.flags_by_name)
        raise NoSuchFlag(f"The rules in force have no flag `{target.flag}`{hint or '.'}")
    if status is not None and status not in book.statuses:
        known = ", ".join(f"`{name}`" for name in book.statuses)
        raise NoSuchStatus(f"The rules in force have no status `{status}`; they have {known}.")


def _said(what: str, text: str, longest: int) -> str:
    text = text.strip()
    if not text:
        raise InvalidJustification(f"Say {what}.")
    if len(text) > longest or not text.isprintable():
        raise InvalidJustification(f"Say {what} on one line of at most {longest} characters.")
    return text


def _in_force(company: Company, flag: str) -> StoredOverride | None:
    found = flag_overrides.open_of_companies([company.id]).get(company.id, ())
    return next((one for one in found if one.flag == flag and one.ended_at is None), None)


def _end(former: StoredOverride, at: datetime, by: str, because: str) -> None:
    """End one, unless its time is over already and that is only not recorded yet."""
    if former.ends_at is not None and former.ends_at <= at:
        ended = replace(former, ended_at=former.ends_at, ended_by="time")
    else:
        ended = replace(former, ended_at=at, ended_by=by, ended_because=because)
    flag_overrides.save(ended)


def _judge(company: Company, override_id: int, at: datetime, judging: JudgingContext) -> OverrideResult:
    done = bring_up_to_date([company], judging.rulebooks, at, stored_until=judging.stored_until)
    written = flag_overrides.find(company.organization_id, override_id)
    if written is None:
        raise LookupError(f"override {override_id} is gone though its company is locked")
    return OverrideResult(written, company, done.written)
