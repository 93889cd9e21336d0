"""Imports the events of the past of whole companies.

The events of a company and the history that they make are stored in one transaction: an import
that is interrupted has imported each company or left it alone, and continues when it is started
again, because events that are stored already are left out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.companies import companies, users
from models.events import stored_ids
from services.events.intake import IntakeCaches, store
from services.events.tracked_event import TrackedEvent
from services.health.evaluation import rewrite
from services.rules.rule_books import RuleBooks

BUNDLE = 5_000
"""Events stored in one statement."""


@dataclass(frozen=True)
class Importable:
    """What is new in an import: events, companies and users. The others are stored already."""

    events: Sequence[TrackedEvent]
    repeated: int
    companies: int
    users: int


def find_new(organization_id: int, events: Sequence[TrackedEvent]) -> Importable:
    """Return what storing events would add."""
    known = stored_ids.find_stored(organization_id, [event.event_id for event in events])
    new = [event for event in events if event.event_id not in known]
    company_ids = {event.company_id for event in new}
    user_ids = {event.user_id for event in new if event.user_id is not None}
    return Importable(
        new,
        len(events) - len(new),
        len(company_ids) - len(companies.find_ids(organization_id, company_ids)),
        len(user_ids) - len(users.find_ids(organization_id, user_ids)),
    )


def import_events(
    organization_id: int,
    events: Sequence[TrackedEvent],
    rulebooks: RuleBooks,
    caches: IntakeCaches,
    at: datetime,
    *,
    judged_later: Collection[str] = (),
) -> Importable:
    """Store the past of companies, and rewrite their history up to `at`, the time of the import.

    `events` are in the order of their times, each with another id. The companies `judged_later`, by
    the client's own ids, have accepted events that are not stored yet; they are left to the
    workers. Runs in the current transaction. Returns what was new.

    Raises:
        RowGone: a company or user with a cached id was deleted. Roll back, clear `caches.ids`,
            and import the events again.
    """
    found = find_new(organization_id, events)
    if not found.events:
        return found
    external_ids = {event.company_id for event in found.events}
    first_seen = companies.find_first_seen(organization_id, external_ids)
    ordered = _in_order_of_merging(found.events, first_seen)
    for start in range(0, len(ordered), BUNDLE):
        store(ordered[start : start + BUNDLE], rulebooks, caches)
    ids = companies.find_ids(organization_id, external_ids)
    to_rewrite = [id_ for company, id_ in ids.items() if company not in judged_later]
    rewrite(organization_id, to_rewrite, rulebooks, at)
    return found


def _in_order_of_merging(
    events: Sequence[TrackedEvent], first_seen: Mapping[str, datetime]
) -> list[TrackedEvent]:
    """Return events in an order in which the history of fields becomes what it was.

    It is exact if each event is later than all that are known of its company, or earlier than all.
    So what is before a known company's first event comes last, the newest of it first.
    """
    of_company: dict[str, list[TrackedEvent]] = {}
    for event in events:
        of_company.setdefault(event.company_id, []).append(event)
    ordered = []
    for company_id, its_events in of_company.items():
        known_since = first_seen.get(company_id)
        if known_since is None:
            ordered += _with_name(its_events)
            continue
        before = [event for event in its_events if event.occurred_at < known_since]
        ordered += its_events[len(before) :]
        ordered += reversed(_without_repeated_fields(before))
    return ordered


def _with_name(events: Sequence[TrackedEvent]) -> list[TrackedEvent]:
    """Return the events of a new company, the first with a name: its id, until one is sent."""
    first = events[0]
    if "name" in first.company:
        return list(events)
    named = (event.company["name"] for event in events if "name" in event.company)
    company = {**first.company, "name": next(named, first.company_id)}
    return [first._replace(company=company), *events[1:]]


def _without_repeated_fields(events: Sequence[TrackedEvent]) -> list[TrackedEvent]:
    """Return events in order, each with the company fields that it changed or was last to send."""
    last = {name: number for number, event in enumerate(events) for name in event.company}
    known: dict[str, Any] = {}
    sparse = []
    for number, event in enumerate(events):
        kept = {
            name: value
            for name, value in event.company.items()
            if name not in known
            or known[name] != value
            or type(known[name]) is not type(value)
            or last[name] == number
        }
        known |= event.company
        sparse.append(event._replace(company=kept))
    return sparse
