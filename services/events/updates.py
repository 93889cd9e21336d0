"""Fields of companies and users from elsewhere than the journal, such as an import."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.companies import companies, users
from models.companies.companies import CORE_FIELDS, Company
from models.companies.fields.field_merge import Traits
from models.companies.users import User
from services.errors import ServiceError
from services.events import intake
from services.events.records import FieldUpdate
from services.rules.rule_books import RuleBooks


class UnknownUsers(ServiceError):
    """Raised when updates name no company for users who are not stored yet.

    `users` are the clients' own ids.
    """

    def __init__(self, unknown: Sequence[str]) -> None:
        super().__init__(f"their company is not known: {', '.join(unknown)}")
        self.users = unknown


class Outcome(StrEnum):
    """What updates make of a company or a user."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    UNKNOWN_USER = "unknown user"
    """The user is not stored, and no update names their company."""


class Subject(StrEnum):
    """What a planned change is about."""

    COMPANY = "company"
    USER = "user"


@dataclass(frozen=True)
class PlannedChange:
    """What updates would make of one company or user; `id` is the client's own.

    `fields` are those that get another value than they have. `moves_to` is the company that a
    stored user would belong to, if it is another one. `left_out` is whether fields would be left
    out, since there are too many.
    """

    subject: Subject
    id: str
    outcome: Outcome
    fields: tuple[str, ...] = ()
    moves_to: str | None = None
    left_out: bool = False


def store_updates(
    organization_id: int, updates: Sequence[FieldUpdate], rulebooks: RuleBooks
) -> list[int]:
    """Store updates of an organization in the current transaction; return companies to evaluate.

    Companies and users that do not exist are created. Repeating it changes nothing. Rows stay
    locked until the transaction ends, so store a few hundred updates in each.

    Raises:
        UnknownUsers: some users are not stored, and no update names their company; nothing was
            changed.
    """
    if not updates:
        return []
    unknown = _unknown_users(organization_id, updates)
    if unknown:
        raise UnknownUsers(unknown)
    return intake.store(updates, rulebooks, in_order=False)


def plan_updates(organization_id: int, updates: Sequence[FieldUpdate]) -> list[PlannedChange]:
    """Return what updates would change, one entry for each company and each user they name.

    Nothing is written or locked. The entries are in the order in which the updates name them
    first, companies before users.
    """
    return [*_plan_companies(organization_id, updates), *_plan_users(organization_id, updates)]


def _unknown_users(organization_id: int, updates: Sequence[FieldUpdate]) -> list[str]:
    """Return the users whose company neither the updates nor the stored users tell."""
    placed = {update.user_id for update in updates if update.company_id is not None}
    named = dict.fromkeys(update.user_id for update in updates if update.user_id is not None)
    unplaced = [user for user in named if user not in placed]
    known = users.find_ids(organization_id, unplaced)
    return [user for user in unplaced if user not in known]


def _plan_companies(
    organization_id: int, updates: Sequence[FieldUpdate]
) -> Iterator[PlannedChange]:
    of_company: dict[str, list[FieldUpdate]] = {}
    for update in updates:
        if update.company_id is not None:
            of_company.setdefault(update.company_id, []).append(update)
    ids = companies.find_ids(organization_id, of_company)
    stored = {c.external_id: c for c in companies.find_by_ids(organization_id, ids.values())}
    for external_id, its_updates in of_company.items():
        company: Company | None = stored.get(external_id)
        traits = company.traits if company else Traits(dict.fromkeys(CORE_FIELDS))
        changed = [
            change.field
            for update in its_updates
            for change in traits.merge_update(update.company, update.occurred_at)
            if not change.late
        ]
        yield PlannedChange(
            Subject.COMPANY,
            external_id,
            _outcome(is_new=company is None, changed=bool(changed)),
            tuple(dict.fromkeys(changed)),
            left_out=traits.newly_left_out,
        )


def _plan_users(organization_id: int, updates: Sequence[FieldUpdate]) -> Iterator[PlannedChange]:
    of_user: dict[str, list[FieldUpdate]] = {}
    for update in updates:
        if update.user_id is not None:
            of_user.setdefault(update.user_id, []).append(update)
    unknown = set(_unknown_users(organization_id, updates))
    ids = users.find_ids(organization_id, of_user)
    stored = users.find_by_ids(organization_id, ids.values())
    names = users.find_companies(organization_id, ids)
    for external_id, its_updates in of_user.items():
        if external_id in unknown:
            yield PlannedChange(Subject.USER, external_id, Outcome.UNKNOWN_USER)
            continue
        user: User | None = stored[ids[external_id]] if external_id in ids else None
        traits = user.traits if user else Traits(dict.fromkeys(users.CORE_FIELDS))
        moves_to = _moves_to(user, names.get(external_id), its_updates)
        changed = [
            change.field
            for update in its_updates
            for change in traits.merge_update(update.user, update.occurred_at)
            if not change.late
        ]
        yield PlannedChange(
            Subject.USER,
            external_id,
            _outcome(is_new=user is None, changed=bool(changed) or moves_to is not None),
            tuple(dict.fromkeys(changed)),
            moves_to,
            left_out=traits.newly_left_out,
        )


def _moves_to(user: User | None, company: str | None, updates: Sequence[FieldUpdate]) -> str | None:
    """Return the company that a stored user would belong to, None if it stays the same."""
    if user is None:
        return None
    newest, named = user.traits.newest_event_at, company
    for update in updates:
        at = update.occurred_at
        if update.company_id is not None and (newest is None or at >= newest):
            newest, named = at, update.company_id
    return named if named != company else None


def _outcome(*, is_new: bool, changed: bool) -> Outcome:
    if is_new:
        return Outcome.CREATED
    return Outcome.CHANGED if changed else Outcome.UNCHANGED
