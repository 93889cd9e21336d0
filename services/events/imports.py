"""Imports the past of whole companies: their events, and fields that were sent without an event.

The records of a company and the history that they make are stored in one transaction: an import
that is interrupted has imported each company or left it alone, and continues when it is started
again, because events that are stored already are left out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orjson import dumps

from models.companies import companies, pending_history, users
from models.events import stored_ids
from services.events.intake import IntakeCaches, store
from services.events.records import PlacedRecord
from services.events.tracked_event import TrackedEvent
from services.health.evaluation import rewrite
from services.rules.rule_books import RuleBooks

BUNDLE = 5_000
"""Records stored in one statement."""


@dataclass(frozen=True)
class Importable:
    """What is new in an import: records, of them events, companies and users.

    `repeated` are the events that are stored already.
    """

    records: Sequence[PlacedRecord]
    events: int
    repeated: int
    companies: int
    users: int


def find_new(organization_id: int, records: Sequence[PlacedRecord]) -> Importable:
    """Return what storing records would add. Fields without an event are merged each time."""
    ids = [record.event_id for record in records if isinstance(record, TrackedEvent)]
    known = stored_ids.find_stored(organization_id, ids)
    new = [r for r in records if not isinstance(r, TrackedEvent) or r.event_id not in known]
    company_ids = {record.company_id for record in new if record.company_id is not None}
    user_ids = {record.user_id for record in new if record.user_id is not None}
    return Importable(
        new,
        len(ids) - len(known),
        len(known),
        len(company_ids) - len(companies.find_ids(organization_id, company_ids)),
        len(user_ids) - len(users.find_ids(organization_id, user_ids)),
    )


def import_records(
    organization_id: int,
    records: Sequence[PlacedRecord],
    rulebooks: RuleBooks,
    caches: IntakeCaches,
    at: datetime,
    *,
    judged_later: Collection[str] = (),
) -> Importable:
    """Store the past of companies, and rewrite their history up to `at`, the time of the import.

    `records` are in the order of their times, each event with another id, and each record with its
    company. The companies `judged_later`, by the client's own ids, have accepted events that are
    not stored yet; they are left to the workers. Runs in the current transaction. Returns what was
    new.

    Raises:
        RowGone: a company or user with a cached id was deleted. Roll back, clear `caches.ids`,
            and import the records again.
    """
    found = find_new(organization_id, records)
    if not found.records:
        return found
    external_ids = {r.company_id for r in found.records if r.company_id is not None}
    first_seen = companies.find_first_seen(organization_id, external_ids)
    ordered = _in_order_of_merging(found.records, first_seen)
    for start in range(0, len(ordered), BUNDLE):
        store(ordered[start : start + BUNDLE], rulebooks, caches, in_order=False)
    ids = companies.find_ids(organization_id, external_ids)
    pending_history.mark(organization_id, dict.fromkeys(ids.values(), at))
    to_rewrite = [id_ for company, id_ in ids.items() if company not in judged_later]
    rewrite(organization_id, to_rewrite, rulebooks, at)
    return found


def _in_order_of_merging(
    records: Sequence[PlacedRecord], first_seen: Mapping[str, datetime]
) -> list[PlacedRecord]:
    """Return records in an order in which the history of fields becomes what it was.

    It is exact if each record is later than all that are known of its company, or earlier than all.
    So what is before a known company's first event comes last, the newest of it first.
    """
    of_company: dict[str, list[PlacedRecord]] = {}
    for record in records:
        of_company.setdefault(str(record.company_id), []).append(record)
    ordered: list[PlacedRecord] = []
    for company_id, its_records in of_company.items():
        known_since = first_seen.get(company_id)
        if known_since is None:
            ordered += _without_repetitions(its_records)
            continue
        before = [record for record in its_records if record.occurred_at < known_since]
        ordered += its_records[len(before) :]
        ordered += reversed(_without_repeated_fields(before))
    return ordered


def _without_repetitions(records: Sequence[PlacedRecord]) -> list[PlacedRecord]:
    """Return the records of a new company, without the fields that others just repeat.

    Of records in a row with the same fields, the first and the last keep them, which is all that
    merging them depends on. It is most of what storing an import takes otherwise.
    """
    companies_of = [dumps(record.company) for record in records]
    users_of = [dumps([record.user_id, record.user]) for record in records]
    following: dict[str | None, bytes] = {}
    next_user: list[bytes | None] = []
    for record, user in zip(reversed(records), reversed(users_of), strict=True):
        next_user.append(following.get(record.user_id))
        following[record.user_id] = user
    next_user.reverse()
    previous: dict[str | None, bytes] = {}
    last = len(records) - 1
    sparse: list[PlacedRecord] = []
    for number, record in enumerate(records):
        company, user = companies_of[number], users_of[number]
        changed: dict[str, Any] = {}
        if 0 < number < last and companies_of[number - 1] == company == companies_of[number + 1]:
            changed["company"] = {}
        if previous.get(record.user_id) == user == next_user[number]:
            changed["user"] = {}
        previous[record.user_id] = user
        sparse.append(record._replace(**changed) if changed else record)
    return sparse


def _without_repeated_fields(records: Sequence[PlacedRecord]) -> list[PlacedRecord]:
    """Return records in order, each with the company fields that it changed or was last to send."""
    last = {name: number for number, record in enumerate(records) for name in record.company}
    known: dict[str, Any] = {}
    sparse: list[PlacedRecord] = []
    for number, record in enumerate(records):
        kept = {
            name: value
            for name, value in record.company.items()
            if name not in known
            or known[name] != value
            or type(known[name]) is not type(value)
            or last[name] == number
        }
        known |= record.company
        sparse.append(record._replace(company=kept))
    return sparse
