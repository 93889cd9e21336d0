"""Finds the companies that have to be evaluated now, and enqueues them, organizations in turns."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from models.companies import pending_evaluation
from models.companies.pending_evaluation import UnsettledCompany
from models.health import flag_overrides, flag_states
from models.health.due_companies import DueCompany, PartitionBehind
from queues.backlog import BEHIND, DUE_AFTER, Backlog, StoredUntil
from queues.evaluations import Evaluations
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

    def _due(self, now: datetime, reading: StoredUntil, crowded: Collection[int]) -> list[_Pending]:
        """Return companies with a due flag or a due start or end of an override.

        Only those that were due before the oldest event of their partition that is not stored yet.
        """
        until = min(now, reading.now, reading.former or now) - DUE_AFTER
        behind = [
            PartitionBehind(lane.organization_id, lane.partition, oldest - DUE_AFTER)
            for lane, oldest in reading.partitions_behind(timedelta(0)).items()
        ]
        leave_out = [(p.company_id, p.why) for p in self._enqueued if isinstance(p.why, datetime)]
        found: list[_Pending] = []
        for kind in (flag_states, flag_overrides):

            def find(without: Collection[int], kind: Any = kind) -> Sequence[DueCompany]:
                due: Sequence[DueCompany] = kind.find_due(
                    until=until,
                    limit=CHUNK,
                    leave_out=leave_out,
                    behind=behind,
                    except_organizations=without,
                )
                return due

            found += [_Pending(*company) for company in _in_turns(find, crowded)]
        return found

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
            return pending_evaluation.find_unsettled(
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
        outdated = pending_evaluation.find_judged_by_older_rules(
            until=now - DUE_AFTER, limit=CHUNK, except_organizations=crowded
        )
        return [_Pending(*company, None) for company in outdated]

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
