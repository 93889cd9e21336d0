"""Stores events with their companies and users, and notes whose health they can change."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from models.companies import companies, field_history, users
from models.companies.companies import CompanyKey, Heard, NewCompany
from models.companies.field_digests import RowGone, sayings
from models.companies.field_history import StoredFieldChange
from models.companies.field_merge import Change, fingerprint
from models.companies.users import User, UserKey
from models.database import transaction
from models.events import hourly_counts
from models.events.storage import NewEvents, StoredEvent
from models.keys import api_keys
from models.organizations import rule_versions
from rules.book import RuleBook
from rules.statuses import DEFAULT_STATUSES
from services.events.id_cache import IdCache
from services.events.tracked_event import TrackedEvent
from services.rules.rule_books import RuleBooks


@dataclass(frozen=True)
class IntakeCaches:
    """What a process that stores events again and again keeps from one time to the next."""

    ids: IdCache = field(default_factory=IdCache)
    new_events: NewEvents = field(default_factory=NewEvents)


def store(
    sent: Sequence[TrackedEvent], rulebooks: RuleBooks, memory: IntakeCaches | None = None
) -> list[int]:
    """Store events in one transaction; ids of companies to evaluate that were not asked for yet.

    An event that is stored already changes nothing, so a message may come twice. Whoever stores
    events again and again passes its memory.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; nothing was stored.
    """
    memory = memory or IntakeCaches()
    tracked = _first_of_each(sent)
    try:
        return _store(tracked, rulebooks, memory)
    except RowGone:
        memory.ids.forget()
        return _store(tracked, rulebooks, memory)


def _store(tracked: Sequence[TrackedEvent], rulebooks: RuleBooks, memory: IntakeCaches) -> list[int]:
    with transaction():
        versions = rule_versions.current_numbers(list({e.organization_id for e in tracked}))
        company_ids, added = _company_ids(tracked, versions, rulebooks, memory.ids)
        user_ids = _user_ids(tracked, company_ids, memory.ids)
        fresh = _add_events(
            [
                _Placed(
                    event,
                    company_ids[_company_key(event)],
                    None if event.user_id is None else user_ids[_user_key(event)],
                )
                for event in tracked
            ],
            memory.new_events,
        )
        hourly_counts.note(placed.event for placed in fresh)
        # Locked as late as can be: whoever stores other events of the same companies waits.
        heard, heard_users = _hear(fresh)
        asked_for = {c.id for c in heard.values() if c.unsettled_since is not None} - added
        merged = [
            _merge(event, heard[company_id], None if user_id is None else heard_users.get(user_id))
            for event, company_id, user_id in fresh
        ]
        field_history.add(
            StoredFieldChange(one.event.organization_id, one.company.id, change)
            for one in merged
            for change in one.changes
        )
        _note_unsettled(merged, versions, rulebooks)
        companies.save_intake(heard.values())
        users.save(heard_users.values())
        for key_id in {event.key_id for event, _, _ in fresh if event.key_id is not None}:
            api_keys.touch(key_id)
        unsettled = {c.id for c in heard.values() if c.unsettled_since is not None}
        return sorted(unsettled - asked_for)


def _first_of_each(sent: Sequence[TrackedEvent]) -> list[TrackedEvent]:
    """The first event with each id: what a client sends again under the same id is no other."""
    by_id: dict[tuple[int, str], TrackedEvent] = {}
    for event in sent:
        by_id.setdefault((event.organization_id, event.event_id), event)
    return list(by_id.values())


def _company_key(event: TrackedEvent) -> CompanyKey:
    return event.organization_id, event.company_id


def _user_key(event: TrackedEvent) -> UserKey:
    return event.organization_id, event.user_id or ""


def _company_ids(
    tracked: Sequence[TrackedEvent],
    versions: dict[int, int],
    rulebooks: RuleBooks,
    known: IdCache,
) -> tuple[dict[CompanyKey, int], set[int]]:
    """The id of every company, and those of them that were not known before."""
    wanted: dict[CompanyKey, list[TrackedEvent]] = {}
    for event in tracked:
        wanted.setdefault(_company_key(event), []).append(event)
    found = known.companies.of(wanted.keys())
    missing = wanted.keys() - found.keys()
    if not missing:
        return found, set()
    added = companies.add(
        NewCompany(
            key=key,
            name=wanted[key][0].company["name"],
            first_seen_at=min(event.occurred_at for event in wanted[key]),
            unsettled_since=min(event.takes_effect_at for event in wanted[key])
            if version
            else None,
            health_status=(book.statuses if book else DEFAULT_STATUSES)[0],
            rules_version=version,
        )
        for key in missing
        for version in [versions.get(key[0], 0)]
        for book in [rulebooks.book_if_readable(key[0], version)]
    )
    return found | companies.ids(missing), added


def _user_ids(
    tracked: Sequence[TrackedEvent], company_ids: dict[CompanyKey, int], known: IdCache
) -> dict[UserKey, int]:
    """The id of every user."""
    wanted = {_user_key(event): event for event in tracked if event.user_id is not None}
    found = known.users.of(wanted.keys())
    missing = wanted.keys() - found.keys()
    if missing:
        users.add(
            (key, company_ids[_company_key(wanted[key])], wanted[key].occurred_at)
            for key in missing
        )
        found |= users.ids(missing)
    return found


class _Placed(NamedTuple):
    """An event, and the rows of its company and its user."""

    event: TrackedEvent
    company_id: int
    user_id: int | None


def _add_events(placed: Sequence[_Placed], new_events: NewEvents) -> list[_Placed]:
    """Store events; those that were not stored before."""
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
        for event, company_id, user_id in placed
    )
    return [one for one in placed if (one.event.organization_id, one.event.event_id) in stored]


def _hear(placed: Sequence[_Placed]) -> tuple[dict[int, Heard], dict[int, User]]:
    """Lock the companies and users of events; the companies, and users that change, by id."""
    of_companies = sayings(
        (company_id, fingerprint(event.company), event.occurred_at)
        for event, company_id, _ in placed
    )
    of_users = sayings(
        (user_id, fingerprint(event.user, company_id), event.occurred_at)
        for event, company_id, user_id in placed
        if user_id is not None
    )
    return companies.hear(of_companies), users.hear(of_users)


class _Merged(NamedTuple):
    """An event that was taken over: what changed of its company, and whether a newer was there."""

    event: TrackedEvent
    company: Heard
    changes: Sequence[Change]
    out_of_order: bool


def _merge(event: TrackedEvent, company: Heard, user: User | None) -> _Merged:
    """Take over the fields that an event carries."""
    at, newest = event.occurred_at, company.last_event_at
    out_of_order = newest is not None and at < newest
    if not out_of_order:
        company.last_event_at = at
    changes = company.traits.merge(event.company, at) if company.traits else ()
    if company.first_seen_at and at < company.first_seen_at:
        company.first_seen_at = at
        _unsettle(company, event)
    if user is not None:
        user.hear(event.user, company.id, at)
    return _Merged(event, company, changes, out_of_order)


def _note_unsettled(
    merged: Sequence[_Merged], versions: dict[int, int], rulebooks: RuleBooks
) -> None:
    """Note the companies of which an event can change a flag. Most events can change none."""
    books = {
        organization_id: rulebooks.book_if_readable(
            organization_id, versions.get(organization_id, 0)
        )
        for organization_id in {one.event.organization_id for one in merged}
    }
    for one in merged:
        book = books[one.event.organization_id]
        if (
            book is None  # whoever can read the rules will tell
            or one.company.judged_version != versions.get(one.event.organization_id, 0)
            or _can_matter(one, book)
        ):
            _unsettle(one.company, one.event)


def _can_matter(one: _Merged, book: RuleBook) -> bool:
    """Whether an event can change a flag."""
    event, awaiting = one.event, one.company.awaiting
    if one.changes and any(
        c.field in book.company_fields and (not c.late or not event.is_late) for c in one.changes
    ):
        return True
    return any(
        flag.selector.matches(event.event_key, event.data)
        for flag in book.flags_counting(event.event_key)
        if flag.name in awaiting or (one.out_of_order and flag.affected_by_late_events)
    )


def _unsettle(company: Heard, event: TrackedEvent) -> None:
    since = event.takes_effect_at
    if company.unsettled_since is None or since < company.unsettled_since:
        company.unsettled_since, company.unsettled = since, True
