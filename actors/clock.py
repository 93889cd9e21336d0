"""The clock: enqueues due flags, overrides and deliveries, and work whose messages were lost."""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import dramatiq
from dramatiq.errors import BrokerError
from redis.exceptions import RedisError

from config.webhook_policy import WebhookPolicy
from models import due
from models.companies import pending_evaluation
from models.database import UNAVAILABLE, database
from models.health import flag_overrides, flag_states
from models.health.due_companies import PartitionBehind
from models.locks import AdvisoryLock, release_for_session, try_lock_for_session
from models.webhooks import deliveries, pending_deliveries
from queues import messages
from queues.backlog import BEHIND, GRACE, Backlog, StoredUntil
from queues.broker import QueueBroker
from rules.durations import BEGINNING

logger = logging.getLogger("brazebee.clock")

TICK_SECONDS = 0.2
"""A fraction of the second within which a due flag must be evaluated."""

CHUNK = 500
"""The most work of each kind enqueued at once; a queue with this many messages gets no more."""

SECOND = timedelta(seconds=1)

ENQUEUE_AGAIN_AFTER = timedelta(seconds=5)
"""A message whose work is still due after this time may have been lost."""

MESSAGE_LOST_AFTER = timedelta(seconds=2)
"""Storing an event enqueues the evaluation of its company; the clock waits this long for it."""

WHILE_BEHIND = 20
"""Companies evaluated per second while events wait: storing those takes precedence."""

LONG_BACKLOG = timedelta(seconds=10)
"""An event that has waited this long to be stored is worth a line in the log."""

REFRESH_TOTALS_EVERY = timedelta(seconds=10)
"""The age of the totals that pages show."""

REFRESH_TOTALS_WHILE_BEHIND = timedelta(minutes=1)
"""The same while events wait: storing them takes precedence."""

DELETE_ATTEMPTS_EVERY = timedelta(hours=1)
DELETE_ATTEMPTS_CHUNK = 1_000
"""The most old attempts that one tick deletes."""

RETRY_PAUSE_SECONDS = 1.0

Reason = tuple[Any, Any]
"""What is enqueued and why: a company with the time since when a flag is due, or with the state
of its unsettled row; a delivery with its attempt."""


class Clock:
    """The loop of the clock process. Several may run; the one that holds the lock leads."""

    def __init__(
        self, broker: QueueBroker, now: Callable[[], datetime], policy: WebhookPolicy
    ) -> None:
        self._broker = broker
        self._now = now
        self._policy = policy
        self._backlog = Backlog(broker, now)
        self._enqueued: dict[Reason, datetime] = {}
        self._has_long_backlog = False
        self._behind_at: dict[int | None, datetime] = {}
        self._evaluated_behind_at = BEGINNING
        self._attempts_deleted_at = BEGINNING
        self._totals_refreshed_at = BEGINNING
        self._in_outage = False

    def run(self, stopping: threading.Event) -> None:
        """Tick until stopped, through outages of PostgreSQL and Redis."""
        while not stopping.is_set():
            try:
                with database.connection_context():
                    self._lead(stopping)
            except (*UNAVAILABLE, BrokerError, RedisError) as error:
                if not self._in_outage:
                    logger.warning(
                        "the clock waits for PostgreSQL or Redis: %s", str(error).strip()
                    )
                    self._in_outage = True
                stopping.wait(RETRY_PAUSE_SECONDS)

    def _lead(self, stopping: threading.Event) -> None:
        while not try_lock_for_session(AdvisoryLock.CLOCK):
            if stopping.wait(RETRY_PAUSE_SECONDS):
                return
        try:
            while not stopping.wait(TICK_SECONDS):
                self.tick()
                if self._in_outage:
                    logger.warning("the clock continues")
                    self._in_outage = False
        finally:
            if not database.is_closed():
                release_for_session(AdvisoryLock.CLOCK)

    def tick(self) -> int:
        """Enqueue all work that is due now; return the number of messages."""
        now = self._now()
        self._enqueued = {
            reason: at for reason, at in self._enqueued.items() if at > now - ENQUEUE_AGAIN_AFTER
        }
        number = self._enqueue_due(now) if due.is_anything_due(until=now) else 0
        if now - self._attempts_deleted_at > DELETE_ATTEMPTS_EVERY and (
            not self._delete_old_attempts(now)
        ):
            self._attempts_deleted_at = now
        if now - self._totals_refreshed_at >= REFRESH_TOTALS_EVERY:
            self._refresh_totals(now)
        return number

    def _delete_old_attempts(self, now: datetime) -> int:
        """Delete a chunk of the attempts that are no longer kept; return how many there were."""
        return deliveries.delete_attempts(
            before=now - self._policy.attempts_kept_for, limit=DELETE_ATTEMPTS_CHUNK
        )

    def _enqueue_due(self, now: datetime) -> int:
        """Enqueue due work as far as the queues have room; return the number of messages."""
        number = 0
        if self._broker.waiting(messages.HEALTH) < CHUNK:
            reading = self._backlog.read()
            self._log_long_backlog(reading)
            outdated = pending_evaluation.find_judged_by_older_rules(until=now - GRACE, limit=CHUNK)
            to_evaluate: list[Reason] = self._due_flags(now, reading)
            to_evaluate += self._unsettled(now, reading)
            to_evaluate += [(company_id, None) for company_id in outdated]
            number += self._enqueue(
                to_evaluate, lambda company_id, _: messages.evaluate(company_id), now
            )
        if self._broker.waiting(messages.WEBHOOKS) < CHUNK:
            to_send: list[Reason] = [*pending_deliveries.find_due(until=now, limit=CHUNK)]
            to_send += pending_deliveries.find_probes(until=now, limit=CHUNK)
            number += self._enqueue(to_send, messages.deliver, now)
        return number

    def _refresh_totals(self, now: datetime) -> None:
        """Enqueue a refresh of the totals, unless events wait or one is enqueued already."""
        behind = self._backlog.read().longest_wait > BEHIND / 2
        if behind and now - self._totals_refreshed_at < REFRESH_TOTALS_WHILE_BEHIND:
            return
        if not self._broker.waiting(messages.TOTALS):
            self._broker.enqueue(messages.refresh_totals())
            self._totals_refreshed_at = now

    def _due_flags(self, now: datetime, reading: StoredUntil) -> list[Reason]:
        """Return companies with a due flag or a due start or end of an override, and since when.

        Only those that were due before the oldest event of their partition that is not stored yet.
        """
        until = min(now, reading.former or now) - GRACE
        behind = [
            PartitionBehind(lane.organization_id, lane.partition, oldest - GRACE)
            for lane, oldest in reading.partitions_behind(timedelta(0)).items()
        ]
        enqueued = [reason for reason in self._enqueued if isinstance(reason[1], datetime)]
        found: list[Reason] = []
        for kind in (flag_states, flag_overrides):
            found += kind.find_due(until=until, limit=CHUNK, leave_out=enqueued, behind=behind)
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

    def _unsettled(self, now: datetime, reading: StoredUntil) -> list[Reason]:
        """Return companies whose evaluation was lost or deferred, with the state of their row."""
        behind = reading.organizations_behind(BEHIND / 2)
        self._behind_at |= dict.fromkeys(behind, now)
        self._behind_at = {
            organization_id: at
            for organization_id, at in self._behind_at.items()
            if now - at < MESSAGE_LOST_AFTER
        }
        caught_up = self._behind_at.keys() - behind  # what was deferred is evaluated now
        found: list[Reason] = []
        if None not in behind:
            found += self._find_unsettled(now - MESSAGE_LOST_AFTER, CHUNK, without=behind)
            if caught_up:
                found += self._find_unsettled(now, CHUNK, only=caught_up, without=behind)
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
    ) -> list[tuple[int, str]]:
        """Return unsettled companies of organizations; None stands for all of them."""
        # Companies that were enqueued and cannot be evaluated must not block the others.
        enqueued = [reason for reason in self._enqueued if isinstance(reason[1], str)]
        return pending_evaluation.find_unsettled(
            until=until,
            limit=limit,
            leave_out=enqueued,
            organizations=None if None in only else [id_ for id_ in only if id_ is not None],
            except_organizations=[id_ for id_ in without if id_ is not None],
        )

    def _enqueue(
        self,
        reasons: Sequence[Reason],
        message_for: Callable[..., dramatiq.Message[None]],
        now: datetime,
    ) -> int:
        """Enqueue each message once, unless it was just enqueued for the same reason."""
        enqueued = set()
        for reason in reasons:
            if reason in self._enqueued:
                continue
            message = message_for(*reason)
            if str(message) not in enqueued:
                self._broker.enqueue(message)
                enqueued.add(str(message))
            self._enqueued[reason] = now
        return len(enqueued)
