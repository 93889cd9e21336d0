"""Stores events with their companies and users, and marks companies whose health may change."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from models.companies import companies, company_intake, users
from models.companies.company_intake import CompanyForIntake, NewCompany
from models.companies.fields import field_history
from models.companies.fields.field_digests import combine_digests
from models.companies.fields.field_history import StoredFieldChange
from models.companies.fields.field_merge import Traits, digest_fields
from models.companies.users import NewUser, User
from models.events import hourly_counts
from models.events.storage import NewEvents, StoredEvent
from models.keys import api_keys
from models.organizations import rule_versions
from rules.book import RuleBook
from rules.statuses import DEFAULT_STATUSES
from services.events.id_cache import IdCache
from services.events.tracked_event import TrackedEvent
from services.events.unsettled import MergedEvent, mark_unsettled, unsettle
from services.rules.rule_books import RuleBooks

logger = logging.getLogger("brazebee.events")


@dataclass(frozen=True)
class IntakeCaches:
    """What a process that stores many bundles keeps from one to the next."""

    ids: IdCache = field(default_factory=IdCache)
    new_events: NewEvents = field(default_factory=NewEvents)


def store(
    events: Sequence[TrackedEvent], rulebooks: RuleBooks, caches: IntakeCaches | None = None
) -> list[int]:
    """Store events of an organization; return the ids of companies to evaluate.

    Those that were marked before are not among them.

    An event that is already stored changes nothing, so a message may arrive twice. A process that
    stores many bundles passes the same caches each time.

    Raises:
        RowGone: a company or user with a cached id was deleted. Roll back, clear `caches.ids`
            and store the events again.
    """
    caches = caches or IntakeCaches()
    events = _first_of_each_id(events)
    [organization_id] = {event.organization_id for event in events}
    version = rule_versions.read_current(organization_id)
    book = rulebooks.book_if_readable(organization_id, version)
    company_ids, added = _company_ids(organization_id, events, version, book, caches.ids)
    user_ids = _user_ids(organization_id, events, company_ids, caches.ids)
    linked = [_link(event, company_ids, user_ids) for event in events]
    new = _add_events(linked, caches.new_events)
    hourly_counts.record_arrivals(item.event for item in new)
    # Locked as late as possible: others that store events of the same companies wait.
    locked, locked_users = _lock(organization_id, new)
    marked = {c.id for c in locked.values() if c.unsettled_since is not None} - added
    merged = [
        _merge(event, locked[company_id], None if user_id is None else locked_users.get(user_id))
        for event, company_id, user_id in new
    ]
    field_history.add(
        organization_id,
        (StoredFieldChange(m.company.id, change) for m in merged for change in m.changes),
    )
    mark_unsettled(merged, version, book)
    company_intake.save_intake(organization_id, locked.values())
    users.save(organization_id, locked_users.values())
    for key_id in {event.key_id for event, _, _ in new if event.key_id is not None}:
        api_keys.touch(organization_id, key_id)
    unsettled = {c.id for c in locked.values() if c.unsettled_since is not None}
    return sorted(unsettled - marked)


def _first_of_each_id(events: Sequence[TrackedEvent]) -> list[TrackedEvent]:
    """Return the first event with each id: a client that repeats an id repeats the event."""
    by_id: dict[str, TrackedEvent] = {}
    for event in events:
        by_id.setdefault(event.event_id, event)
    return list(by_id.values())


def _company_ids(
    organization_id: int,
    events: Sequence[TrackedEvent],
    version: int,
    book: RuleBook | None,
    cache: IdCache,
) -> tuple[dict[str, int], set[int]]:
    """Return the id of every company, and the ids of those that were added."""
    by_company: dict[str, list[TrackedEvent]] = {}
    for event in events:
        by_company.setdefault(event.company_id, []).append(event)
    ids = cache.companies.of(organization_id, by_company.keys())
    missing = by_company.keys() - ids.keys()
    if not missing:
        return ids, set()
    added = company_intake.add(
        NewCompany(
            organization_id=organization_id,
            external_id=external_id,
            name=by_company[external_id][0].company["name"],
            first_seen_at=min(event.occurred_at for event in by_company[external_id]),
            unsettled_since=min(event.takes_effect_at for event in by_company[external_id])
            if version
            else None,
            health_status=(book.statuses if book else DEFAULT_STATUSES)[0],
            judged_version=version,
        )
        for external_id in missing
    )
    return ids | companies.find_ids(organization_id, missing), added


def _user_ids(
    organization_id: int,
    events: Sequence[TrackedEvent],
    company_ids: dict[str, int],
    cache: IdCache,
) -> dict[str, int]:
    """Return the id of every user, adding those that are missing."""
    by_user = {event.user_id: event for event in events if event.user_id is not None}
    ids = cache.users.of(organization_id, by_user.keys())
    missing = by_user.keys() - ids.keys()
    if missing:
        users.add(
            NewUser(
                organization_id=organization_id,
                external_id=external_id,
                company_id=company_ids[by_user[external_id].company_id],
                company_at=by_user[external_id].occurred_at,
                first_seen_at=by_user[external_id].occurred_at,
            )
            for external_id in missing
        )
        ids |= users.find_ids(organization_id, missing)
    return ids


class _LinkedEvent(NamedTuple):
    """An event with the ids of the rows of its company and its user."""

    event: TrackedEvent
    company_id: int
    user_id: int | None


def _link(
    event: TrackedEvent, company_ids: dict[str, int], user_ids: dict[str, int]
) -> _LinkedEvent:
    user_id = None if event.user_id is None else user_ids[event.user_id]
    return _LinkedEvent(event, company_ids[event.company_id], user_id)


def _add_events(linked: Sequence[_LinkedEvent], new_events: NewEvents) -> list[_LinkedEvent]:
    """Store events and return those that were not stored before."""
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
        for event, company_id, user_id in linked
    )
    return [item for item in linked if item.event.event_id in stored]


def _lock(
    organization_id: int, linked: Sequence[_LinkedEvent]
) -> tuple[dict[int, CompanyForIntake], dict[int, User]]:
    """Lock the companies and users of events; return companies, and users that change, by id."""
    company_digests = combine_digests(
        (company_id, digest_fields(event.company), event.occurred_at)
        for event, company_id, _ in linked
    )
    user_digests = combine_digests(
        (user_id, digest_fields(event.user, company_id), event.occurred_at)
        for event, company_id, user_id in linked
        if user_id is not None
    )
    return (
        company_intake.lock_for_intake(organization_id, company_digests),
        users.lock_for_intake(organization_id, user_digests),
    )


def _merge(event: TrackedEvent, company: CompanyForIntake, user: User | None) -> MergedEvent:
    """Merge the fields of an event into its company and its user."""
    at, newest = event.occurred_at, company.last_event_at
    out_of_order = newest is not None and at < newest
    if not out_of_order:
        company.last_event_at = at
    changes = company.traits.merge_with_history(event.company, at) if company.traits else ()
    if company.first_seen_at and at < company.first_seen_at:
        company.first_seen_at = at
        unsettle(company, event)
    if user is not None:
        user.merge_event(event.user, company.id, at)
        _log_newly_left_out(event, "a user of company", user.traits)
    _log_newly_left_out(event, "company", company.traits)
    return MergedEvent(event, company, changes, out_of_order)


def _log_newly_left_out(event: TrackedEvent, what: str, traits: Traits | None) -> None:
    """Log that a company or user has more fields than are kept, the first time it happens."""
    if traits is not None and traits.newly_left_out:
        traits.newly_left_out = False
        logger.warning(
            "%s %r of organization %d has more fields than are kept; the others are left out",
            what,
            event.company_id,
            event.organization_id,
        )
