"""Places records of users whose company the sender did not name, or lets them wait for it.

Waiting is bounded. What is beyond the bounds is set aside with the reason, and can be retried once
the company is known.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from models.companies import users
from models.events import waiting_records
from models.events.waiting_records import NewWaitingRecord
from models.locks import AdvisoryLock, lock_for_organization, share_for_organization
from queues.lanes.lane import Lane
from queues.lanes.lane_queue import FORMAT, LaneQueue
from services.events.records import PlacedRecord, UnresolvedRecord, read_entry
from services.events.set_aside import set_aside
from services.events.tracked_event import UnreadableEvent

logger = logging.getLogger("brazebee.events")

MOST_OF_ORGANIZATION = 10_000
"""Records of an organization that wait."""

MOST_OF_USER = 200
"""Records of one user that wait."""

LONGEST = timedelta(days=7)
"""How long a record waits."""

CURE = (
    "Send a record that names the user together with the company, such as a group call or an event"
    " with both, and then retry this one"
)


class Belonging(NamedTuple):
    """What a record says about a user: that they belong to a company, and when it was received."""

    company_id: str
    received_at: datetime


def expect_unknown_users(organization_id: int, records: Sequence[UnresolvedRecord]) -> None:
    """Make sure that nobody else adds users of records until the transaction ends.

    Call it before anything is locked or added. If all users are known there is nothing to do, since
    users stay.
    """
    ids = {record.user_id for record in records}
    if ids - users.find_ids(organization_id, ids).keys():
        lock_for_organization(AdvisoryLock.NEW_USERS, organization_id)


def before_adding_users(organization_id: int) -> None:
    """Wait for those who let records wait, since they have not found the users to be added."""
    share_for_organization(AdvisoryLock.NEW_USERS, organization_id)


def release(organization_id: int, added: Mapping[str, Belonging]) -> list[PlacedRecord]:
    """Return the waiting records of users who were just added, by the clients' own ids.

    They count at their own times, but are received with what says where the user belongs.
    """
    released = []
    for entry in waiting_records.take_of_users(organization_id, added.keys()):
        try:
            record = read_entry(organization_id, entry.fields)
        except UnreadableEvent as error:
            set_aside(organization_id, entry.fields, str(error))
            continue
        if isinstance(record, UnresolvedRecord):
            belonging = added[entry.record.user]
            received_at = max(record.received_at, belonging.received_at)
            released.append(
                record._replace(received_at=received_at).of_company(belonging.company_id)
            )
    return released


def place(organization_id: int, records: Sequence[UnresolvedRecord]) -> list[PlacedRecord]:
    """Return the records whose users are known, with their companies; the others wait.

    `expect_unknown_users` was called before, and the users of the transaction are added.
    """
    companies = users.find_companies(organization_id, {record.user_id for record in records})
    _let_wait(organization_id, [r for r in records if r.user_id not in companies])
    return [
        record.of_company(companies[record.user_id])
        for record in records
        if record.user_id in companies
    ]


def _let_wait(organization_id: int, records: Sequence[UnresolvedRecord]) -> None:
    if not records:
        return
    room = MOST_OF_ORGANIZATION - waiting_records.count(organization_id)
    of_user = waiting_records.count_by_user(organization_id, {r.user_id for r in records})
    to_add = []
    for record in records:
        number = of_user.get(record.user_id, 0)
        if number >= MOST_OF_USER:
            _refuse(record, f"{MOST_OF_USER} records of this user wait already")
        elif room <= 0:
            _refuse(record, f"{MOST_OF_ORGANIZATION:,} records wait already")
        else:
            room -= 1
            of_user[record.user_id] = number + 1
            to_add.append(record)
    if to_add and not waiting_records.add(organization_id, [_new(r) for r in to_add]):
        for record in to_add:
            _refuse(record, "there is no such organization")
    elif len(to_add) < len(records):
        logger.error(
            "%d records of organization %d were set aside: too many wait for the companies of their"
            " users; see `brazebee rejected list`",
            len(records) - len(to_add),
            organization_id,
        )


def _new(record: UnresolvedRecord) -> NewWaitingRecord:
    return NewWaitingRecord(
        record.user_id,
        record.event_key,
        record.event_id,
        record.occurred_at,
        record.received_at,
        [FORMAT.encode(), record.content],
    )


def _refuse(record: UnresolvedRecord, why: str) -> None:
    set_aside(
        record.organization_id,
        [FORMAT.encode(), record.content],
        _reason(record.user_id, why),
        journal_id=record.journal_id,
    )


def set_aside_expired(organization_id: int, now: datetime, *, limit: int) -> int:
    """Set aside records that have waited too long, and return their number."""
    expired = waiting_records.take_accepted_before(organization_id, now - LONGEST, limit=limit)
    for entry in expired:
        why = f"it has waited for {LONGEST.days} days"
        set_aside(organization_id, entry.fields, _reason(entry.record.user, why))
    return len(expired)


def return_to_journal(organization_id: int, journal: LaneQueue, *, limit: int) -> int:
    """Return records to the journal whose users exist by now, and return their number.

    There are some only if a process of the release before, which releases none, added the users.

    Raises:
        RedisError: Redis does not answer or is full. Roll back.
    """
    found = waiting_records.take_of_known_users(organization_id, limit=limit)
    lane = Lane.of_company(organization_id, None)
    journal.append([(lane, entry.fields[1]) for entry in found])
    return len(found)


def _reason(user: str, why: str) -> str:
    return f"The company of user {user!r} is not known, and {why}. {CURE}"
