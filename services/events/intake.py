"""Stores events and updates with their companies and users.

Marks the companies whose health may change.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from models.companies import companies, company_intake, users
from models.companies.company_intake import CompanyForIntake, NewCompany
from models.companies.fields import field_history
from models.companies.fields.field_digests import combine_digests
from models.companies.fields.field_history import StoredFieldChange
from models.companies.fields.field_merge import FieldChange, Traits, digest_fields
from models.companies.users import NewUser, User
from models.events import hourly_counts
from models.events.storage import NewEvents, StoredEvent
from models.health.work_items import lifecycle
from models.keys import api_keys
from models.organizations import rule_versions
from rules.book import RuleBook
from rules.statuses import DEFAULT_STATUSES
from services.events import waiting
from services.events.historical import mark_historical
from services.events.id_cache import IdCache
from services.events.records import FieldUpdate, PlacedRecord, Record, UnresolvedRecord
from services.events.tracked_event import TrackedEvent
from services.events.unsettled import MergedRecord, mark_unsettled, unsettle
from services.events.waiting import Belonging
from services.portfolio.marks import mark_portfolio
from services.rules.rule_books import RuleBooks
from services.team_columns import team_columns

logger = logging.getLogger("brazebee.events")


@dataclass(frozen=True)
class IntakeCaches:
    """What a process that stores many bundles keeps from one to the next."""

    ids: IdCache = field(default_factory=IdCache)
    new_events: NewEvents = field(default_factory=NewEvents)


def store(
    records: Sequence[Record],
    rulebooks: RuleBooks,
    caches: IntakeCaches | None = None,
    *,
    in_order: bool = True,
) -> list[int]:
    """Store records of an organization; return the ids of companies to evaluate.

    Those that were marked before are not among them.

    An event that is already stored changes nothing, and neither does an update, so a message may
    arrive twice. A process that stores many bundles passes the same caches each time. Records that
    are not `in_order` may have overtaken others of their companies, which still wait.

    Raises:
        RowGone: a company or user with a cached id was deleted. Roll back, clear `caches.ids`
            and store the events again.
    """
    caches = caches or IntakeCaches()
    [organization_id] = {record.organization_id for record in records}
    unresolved = [record for record in records if isinstance(record, UnresolvedRecord)]
    placed = _first_of_each_id(
        [record for record in records if not isinstance(record, UnresolvedRecord)]
    )
    if unresolved:
        waiting.expect_unknown_users(organization_id, unresolved)
    version = rule_versions.read_current(organization_id)
    book = rulebooks.book_if_readable(organization_id, version)
    company_ids, added = _company_ids(organization_id, placed, version, book, caches.ids)
    user_ids, late = _user_ids(organization_id, placed, company_ids, caches.ids)
    if unresolved:
        late += waiting.place(organization_id, unresolved)
    linked = [_link(record, company_ids, user_ids, in_order=in_order) for record in placed]
    if late:
        late = _first_of_each_id([*placed, *late])[len(placed) :]
        linked += _link_late(organization_id, late)
    new = _add_events(linked, caches.new_events)
    hourly_counts.record_arrivals(
        item.record for item in new if isinstance(item.record, TrackedEvent)
    )
    # Locked as late as possible: others that store events of the same companies wait.
    locked, locked_users = _lock(organization_id, new)
    marked = {c.id for c in locked.values() if c.unsettled_since is not None} - added
    first_seen = {company.id: company.first_seen_at for company in locked.values()}
    merged = [
        merged_record
        for item in new
        if (merged_record := _merge(item, locked, locked_users)) is not None
    ]
    field_history.add(
        organization_id,
        (StoredFieldChange(m.company.id, change) for m in merged for change in m.changes),
    )
    mark_unsettled(merged, version, book)
    moved = _derive_team(locked.values(), book)
    company_intake.save_intake(organization_id, locked.values())
    lifecycle.update_team(organization_id, {c.id: c.team for c in moved if c.id not in added})
    mark_portfolio(organization_id, added, merged, first_seen, book)
    mark_historical(organization_id, ((item.record, item.company_id) for item in new))
    users.save(organization_id, locked_users.values())
    for key_id in {item.record.key_id for item in new if item.record.key_id is not None}:
        api_keys.touch(organization_id, key_id)
    unsettled = {c.id for c in locked.values() if c.unsettled_since is not None}
    return sorted(unsettled - marked)


def _derive_team(
    locked: Collection[CompanyForIntake], book: RuleBook | None
) -> list[CompanyForIntake]:
    """Derive owner, value and renewal of companies whose fields were merged; return the changed."""
    moved = []
    for company in locked:
        if company.traits:
            former, company.team = company.team, team_columns(company.traits, book)
            if company.team != former:
                moved.append(company)
    return moved


def _first_of_each_id(records: Sequence[PlacedRecord]) -> list[PlacedRecord]:
    """Return updates, and the first event with each id: whoever repeats an id repeats the event."""
    first: dict[object, PlacedRecord] = {}
    for record in records:
        key = record.event_id if isinstance(record, TrackedEvent) else id(record)
        first.setdefault(key, record)
    return list(first.values())


def _company_ids(
    organization_id: int,
    records: Sequence[PlacedRecord],
    version: int,
    book: RuleBook | None,
    cache: IdCache,
) -> tuple[dict[str, int], set[int]]:
    """Return the id of every company, and the ids of those that were added."""
    by_company: dict[str, list[PlacedRecord]] = {}
    for record in records:
        if record.company_id is not None:
            by_company.setdefault(record.company_id, []).append(record)
    ids = cache.companies.of(organization_id, by_company.keys())
    missing = by_company.keys() - ids.keys()
    if not missing:
        return ids, set()
    added = company_intake.add(
        NewCompany(
            organization_id=organization_id,
            external_id=external_id,
            name=_first_name(by_company[external_id]) or external_id,
            first_seen_at=min(record.occurred_at for record in by_company[external_id]),
            unsettled_since=min(record.takes_effect_at for record in by_company[external_id])
            if version
            else None,
            health_status=(book.statuses if book else DEFAULT_STATUSES)[0],
            judged_version=version,
        )
        for external_id in missing
    )
    return ids | companies.find_ids(organization_id, missing), added


def _first_name(records: Sequence[PlacedRecord]) -> str | None:
    return next((record.company["name"] for record in records if "name" in record.company), None)


def _user_ids(
    organization_id: int,
    records: Sequence[PlacedRecord],
    company_ids: dict[str, int],
    cache: IdCache,
) -> tuple[dict[str, int], list[PlacedRecord]]:
    """Return the id of every user, adding those that are missing, and what waited for these."""
    by_user = {record.user_id: record for record in records if record.user_id is not None}
    ids = cache.users.of(organization_id, by_user.keys())
    missing = by_user.keys() - ids.keys()
    if not missing:
        return ids, []
    waiting.before_adding_users(organization_id)
    added: dict[str, NewUser] = {}
    belonging: dict[str, Belonging] = {}
    for record in records:
        if record.user_id in missing and record.company_id is not None:
            at = record.occurred_at
            moved_at = at if isinstance(record, FieldUpdate) else None
            company_id = company_ids[record.company_id]
            added[record.user_id] = NewUser(
                organization_id, record.user_id, company_id, at, at, moved_at
            )
            belonging[record.user_id] = Belonging(record.company_id, record.received_at)
    users.add(added.values())
    ids |= users.find_ids(organization_id, missing)
    return ids, waiting.release(organization_id, belonging)


class _LinkedRecord(NamedTuple):
    """A record with the ids of the rows of its company and its user.

    It is `in_order` unless it may have overtaken others of its company.
    """

    record: PlacedRecord
    company_id: int | None
    user_id: int | None
    in_order: bool


def _link(
    record: PlacedRecord,
    company_ids: Mapping[str, int],
    user_ids: Mapping[str, int],
    *,
    in_order: bool,
) -> _LinkedRecord:
    company_id = None if record.company_id is None else company_ids[record.company_id]
    user_id = None if record.user_id is None else user_ids[record.user_id]
    return _LinkedRecord(record, company_id, user_id, in_order)


def _link_late(organization_id: int, records: Sequence[PlacedRecord]) -> list[_LinkedRecord]:
    """Link records whose companies and users are stored, and that came by another lane."""
    company_ids = companies.find_ids(
        organization_id, {r.company_id for r in records if r.company_id is not None}
    )
    user_ids = users.find_ids(
        organization_id, {r.user_id for r in records if r.user_id is not None}
    )
    return [_link(record, company_ids, user_ids, in_order=False) for record in records]


def _add_events(linked: Sequence[_LinkedRecord], new_events: NewEvents) -> list[_LinkedRecord]:
    """Store events; return those that were not stored before, and the updates."""
    stored = new_events.add(
        StoredEvent(
            organization_id=event.organization_id,
            event_id=event.event_id,
            company_id=company_id,
            user_id=user_id,
            event_key=event.event_key,
            occurred_at=event.occurred_at,
            received_at=event.received_at,
            data=event.data,
        )
        for event, company_id, user_id, _ in linked
        if isinstance(event, TrackedEvent) and company_id is not None
    )
    return [
        item
        for item in linked
        if not isinstance(item.record, TrackedEvent) or item.record.event_id in stored
    ]


def _lock(
    organization_id: int, linked: Sequence[_LinkedRecord]
) -> tuple[dict[int, CompanyForIntake], dict[int, User]]:
    """Lock the companies and users of records; return companies, and users that change, by id.

    What an update carries is merged in any case, so it has no digest.
    """
    company_digests = combine_digests(
        (
            company_id,
            digest_fields(record.company) if isinstance(record, TrackedEvent) else None,
            record.occurred_at,
        )
        for record, company_id, _, _ in linked
        if company_id is not None
    )
    user_digests = combine_digests(
        (
            user_id,
            digest_fields(record.user, company_id) if isinstance(record, TrackedEvent) else None,
            record.occurred_at,
        )
        for record, company_id, user_id, _ in linked
        if user_id is not None
    )
    return (
        company_intake.lock_for_intake(organization_id, company_digests),
        users.lock_for_intake(organization_id, user_digests),
    )


def _merge(
    item: _LinkedRecord,
    locked: Mapping[int, CompanyForIntake],
    locked_users: Mapping[int, User],
) -> MergedRecord | None:
    """Merge the fields of a record into its company, None if it has none, and its user."""
    record, company_id, user_id, in_order = item
    at = record.occurred_at
    user = None if user_id is None else locked_users.get(user_id)
    if user is not None:
        if isinstance(record, TrackedEvent) and company_id is not None:
            user.merge_event(record.user, company_id, at)
        else:
            user.merge_update(record.user, company_id, at)
        _log_newly_left_out(record, "a user of company", user.traits)
    if company_id is None:
        return None
    company = locked[company_id]
    if not in_order:
        company.overtaken_until(record.takes_effect_at)
    out_of_order, changes = _merge_into_company(record, company)
    _log_newly_left_out(record, "company", company.traits)
    return MergedRecord(record, company, changes, out_of_order)


def _merge_into_company(
    record: PlacedRecord, company: CompanyForIntake
) -> tuple[bool, Sequence[FieldChange]]:
    """Return whether an event is older than another one, and the fields that a record changed."""
    at, newest, traits = record.occurred_at, company.last_event_at, company.traits
    changes: Sequence[FieldChange] = ()
    out_of_order = False
    if isinstance(record, TrackedEvent):
        out_of_order = newest is not None and at < newest
        if not out_of_order:
            company.last_event_at = at
        changes = traits.merge_with_history(record.company, at) if traits else ()
    elif traits:
        changes = traits.merge_update(record.company, at)
    if company.first_seen_at and at < company.first_seen_at:
        company.first_seen_at = at
        unsettle(company, record)
    return out_of_order, changes


def _log_newly_left_out(record: PlacedRecord, what: str, traits: Traits | None) -> None:
    """Log that a company or user has more fields than are kept, the first time it happens."""
    if traits is not None and traits.newly_left_out:
        traits.newly_left_out = False
        logger.warning(
            "%s %r of organization %d has more fields than are kept; the others are left out",
            what,
            record.company_id,
            record.organization_id,
        )
