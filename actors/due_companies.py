"""Finds the companies that have to be evaluated now, and enqueues them, organizations in turns."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from models import across_organizations
from models.across_organizations import FLAGS, OVERRIDES, DueCompany, UnsettledCompany
from models.companies.pending_evaluation import find_outdated
from models.health import due_companies
from queues.backlog import BEHIND, DUE_AFTER, Backlog, StoredUntil
from queues.evaluations import Evaluations
from queues.lanes.lane import PARTITIONS, UNRESOLVED
from rules.durations import BEGINNING

logger = logging.getLogger("brazebee.clock")

CHUNK = 500
"""The most companies of one kind found by a query. An organization with so many waiting
evaluations gets no more."""

ROUNDS = 5
"""How often a query is repeated without the organizations that filled its result."""

SECOND = timedelta(seconds=1)

DUE_AGAIN_AFTER = timedelta(seconds=1)
"""A company that is still due after this time is enqueued again: its entry was lost, or an event
that was stored only now kept it from being judged."""

AGAIN_AFTER = timedelta(seconds=5)
"""The same for other reasons. Some persist, such as rules that this release cannot read."""

MESSAGE_LOST_AFTER = timedelta(seconds=2)
"""Storing an event enqueues the evaluation of its company; the clock waits this long for it."""

WHILE_BEHIND = 20
"""Companies evaluated per second of organizations whose events wait: storing takes precedence."""

LATEST_COMMIT = timedelta(minutes=1)
"""How long after rules came into force a transaction that read the former ones may commit, and how
often all organizations are searched for companies that were judged by older rules."""

LONG_BACKLOG = timedelta(seconds=10)
"""An event that has waited this long to be stored is worth a line in the log."""


class _Pending(NamedTuple):
    """A company to evaluate, and why: since when it is due, the state of its row, or new rules."""

    organization_id: int
    company_id: int
    why: datetime | str | None

    @property
    def again_after(self) -> timedelta:
        return DUE_AGAIN_AFTER if isinstance(self.why, datetime) else AGAIN_AFTER


Found = TypeVar("Found", DueCompany, UnsettledCompany)


class DueCompanies:
    """What the clock knows about companies that it has enqueued."""

    def __init__(self, backlog: Backlog, evaluations: Evaluations) -> None:
        self._backlog = backlog
        self._evaluations = evaluations
        self._enqueued: dict[_Pending, datetime] = {}
        self._behind_at: dict[int | None, datetime] = {}
        self._evaluated_behind_at = BEGINNING
        self._has_long_backlog = False
        self._new_rules: dict[int, int] = {}
        self._all_rules_read_at = self._rules_read_at = BEGINNING

    def enqueue(self, now: datetime) -> int:
        """Enqueue the companies that have to be evaluated now; return their number.

        A company is enqueued once, unless it was just enqueued for the same reason.
        """
        self._enqueued = {
            pending: at for pending, at in self._enqueued.items() if now < at + pending.again_after
        }
        waiting = self._evaluations.waiting()
        crowded = {organization_id for organization_id, n in waiting.items() if n >= CHUNK}
        reading = self._backlog.read()
        self._log_long_backlog(reading)
        found = [
            *self._due(now, reading, crowded),
            *self._unsettled(now, reading, crowded),
            *self._judged_by_older_rules(now, crowded),
        ]
        new = [pending for pending in found if pending not in self._enqueued]
        companies = list(dict.fromkeys((p.organization_id, p.company_id) for p in new))
        self._evaluations.enqueue(companies)
        self._enqueued |= dict.fromkeys(new, now)
        return len(companies)

    def new_rules_since(self, now: datetime) -> datetime:
        """Return the time after which rules came into force that are searched for at this tick."""
        since = now - LATEST_COMMIT
        if self._new_rules or self._all_rules_read_at < since:
            return BEGINNING
        # Once some were found, those of the last minute are searched for once a second, and newer
        # ones at every tick.
        return max(since, self._rules_read_at) if now - self._rules_read_at < SECOND else since

    def _due(self, now: datetime, reading: StoredUntil, crowded: Collection[int]) -> list[_Pending]:
        """Return companies with a due flag or a due start or end of an override.

        Only those that were due before the oldest event of their partition that is not stored yet.
        """
        until = min(now, reading.now, reading.former or now) - DUE_AFTER
        behind = _behind(reading)
        leave_out = [(p.company_id, p.why) for p in self._enqueued if isinstance(p.why, datetime)]
        found: list[DueCompany] = []
        for table in (FLAGS, OVERRIDES):

            def find(without: Collection[int], table: str = table) -> Sequence[DueCompany]:
                return across_organizations.find_due_companies(
                    table,
                    until=until,
                    limit=CHUNK,
                    leave_out=leave_out,
                    except_organizations=without,
                )

            found += _in_turns(find, {*crowded, *behind})
            for organization_id in behind.keys() - crowded:
                found += due_companies.find_due(
                    table,
                    organization_id,
                    behind[organization_id],
                    until=until,
                    limit=CHUNK,
                    leave_out=leave_out,
                )
        return [_Pending(*company) for company in found]

    def _unsettled(
        self, now: datetime, reading: StoredUntil, crowded: Collection[int]
    ) -> list[_Pending]:
        """Return companies whose evaluation was lost or deferred."""
        behind = reading.organizations_behind(BEHIND / 2)
        self._behind_at |= dict.fromkeys(behind, now)
        self._behind_at = {
            organization_id: at
            for organization_id, at in self._behind_at.items()
            if now - at < MESSAGE_LOST_AFTER
        }
        caught_up = self._behind_at.keys() - behind  # what was deferred is evaluated now
        found: list[_Pending] = []
        if None not in behind:
            lost = now - MESSAGE_LOST_AFTER
            found += self._find_unsettled(lost, CHUNK, without={*behind, *crowded})
            if caught_up:
                found += self._find_unsettled(now, CHUNK, only=caught_up, without=crowded)
        if behind and now - self._evaluated_behind_at >= SECOND:
            self._evaluated_behind_at = now
            found += self._find_unsettled(now - MESSAGE_LOST_AFTER, WHILE_BEHIND, only=behind)
        return found

    def _find_unsettled(
        self,
        until: datetime,
        limit: int,
        *,
        only: Collection[int | None] = (None,),
        without: Collection[int | None] = (),
    ) -> list[_Pending]:
        """Return the unsettled companies of these organizations; None means all organizations."""
        # Companies that were enqueued and cannot be evaluated must not block the others.
        leave_out = [(p.company_id, p.why) for p in self._enqueued if isinstance(p.why, str)]

        def find(without: Collection[int]) -> Sequence[UnsettledCompany]:
            return across_organizations.find_unsettled_companies(
                until=until,
                limit=limit,
                leave_out=leave_out,
                organizations=None if None in only else [id_ for id_ in only if id_ is not None],
                except_organizations=without,
            )

        ids = [id_ for id_ in without if id_ is not None]
        found = find(ids) if limit < CHUNK else _in_turns(find, ids)
        return [_Pending(*company) for company in found]

    def _judged_by_older_rules(self, now: datetime, crowded: Collection[int]) -> list[_Pending]:
        """Return companies that were last judged by older rules than those in force.

        An organization is searched while it has any, and from when its rules came into force until
        no transaction is left that read the former ones.
        """
        since, until = self.new_rules_since(now), now - DUE_AFTER
        if since <= now - LATEST_COMMIT:
            self._rules_read_at = until
        if self._all_rules_read_at < now - LATEST_COMMIT:
            self._all_rules_read_at = now
        self._new_rules |= across_organizations.find_applied_rules(since=since, until=until)
        found: list[_Pending] = []
        for organization_id, version in [*self._new_rules.items()]:
            if organization_id in crowded:
                continue
            ids = find_outdated(organization_id, version, limit=CHUNK)
            found += [_Pending(organization_id, id_, None) for id_ in ids]
            if not ids:
                del self._new_rules[organization_id]
        return found

    def _log_long_backlog(self, reading: StoredUntil) -> None:
        is_long = reading.longest_wait > LONG_BACKLOG
        if is_long == self._has_long_backlog:
            return
        self._has_long_backlog = is_long
        if is_long:
            logger.warning(
                "events have waited to be stored for %d seconds; changes by time of the companies"
                " concerned wait for them",
                reading.longest_wait.total_seconds(),
            )
        else:
            logger.warning("the backlog is short again; changes by time continue")


def _behind(reading: StoredUntil) -> dict[int, dict[int, datetime]]:
    """Return until when changes by time are due, by organization and partition that is behind.

    What names no company may be about any, so it holds back all partitions.
    """
    behind: dict[int, dict[int, datetime]] = {}
    for lane, oldest in reading.partitions_behind(timedelta(0)).items():
        until, of_organization = oldest - DUE_AFTER, behind.setdefault(lane.organization_id, {})
        held_back = range(PARTITIONS) if lane.partition == UNRESOLVED else [lane.partition]
        for partition in held_back:
            of_organization[partition] = min(until, of_organization.get(partition, until))
    return behind


def _in_turns(
    find: Callable[[Collection[int]], Sequence[Found]], without: Collection[int]
) -> list[Found]:
    """Repeat a query while its result is full, without the organizations that filled it."""
    found: list[Found] = []
    without = set(without)
    for _ in range(ROUNDS):
        rows = find(without)
        found += rows
        if len(rows) < CHUNK:
            break
        numbers = Counter(row.organization_id for row in rows)
        without |= {id_ for id_, number in numbers.items() if number > CHUNK / len(numbers) / 2}
    return found
