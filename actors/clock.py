"""The clock: enqueues due flags, overrides, deliveries and messages, and work that was lost."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from dramatiq.errors import BrokerError
from redis.exceptions import RedisError

from actors.clock_steps import ClockSteps
from actors.due_companies import DueCompanies
from actors.due_deliveries import DueDeliveries
from actors.notifications.due_messages import DueMessages
from config.safe_logs import describe
from config.webhook_policy import WebhookPolicy
from models.across_organizations import (
    is_anything_due,
    list_with_backtests,
    list_with_stale_forecasts,
)
from models.database import UNAVAILABLE, database
from models.locks import AdvisoryLock, release_for_session, try_lock_for_session
from models.notifications import messages as sent_messages
from models.organizations import organizations
from models.webhooks import deliveries
from queues import messages
from queues.backlog import BEHIND, Backlog
from queues.broker import QueueBroker
from queues.lanes.lane_queue import LaneQueue
from rules.durations import BEGINNING
from services.events.waiting_upkeep import WaitingUpkeep
from services.forecasts import refreshing

logger = logging.getLogger("brazebee.clock")

TICK_SECONDS = 0.2
"""A fraction of the second within which a due flag must be evaluated."""

REFRESH_TOTALS_EVERY = timedelta(seconds=10)
"""The age of the totals that pages show."""

REFRESH_TOTALS_WHILE_BEHIND = timedelta(minutes=1)
"""The same while events wait: storing them takes precedence."""

BACKTESTS_EVERY = timedelta(seconds=5)
"""How often backtests are looked for that no worker owns, since a message or a worker was lost."""

DELETE_ATTEMPTS_EVERY = timedelta(hours=1)
DELETE_ATTEMPTS_CHUNK = 1_000
"""The most old attempts that one tick deletes."""

MESSAGES_KEPT_FOR = timedelta(days=30)
DELETE_MESSAGES_CHUNK = 20
"""The most old messages to people that one tick deletes, with all changes that they are about."""

RETRY_PAUSE_SECONDS = 1.0


class Stopping(Protocol):
    """Whether the clock is to stop: a `StopRequest`, or a `threading.Event`."""

    def is_set(self) -> bool:
        """Return whether it is."""

    def wait(self, timeout: float, /) -> bool:
        """Wait at most `timeout` seconds until it is; return whether it is."""


class Clock:
    """The loop of the clock process. Several may run; the one that holds the lock leads."""

    def __init__(
        self, broker: QueueBroker, now: Callable[[], datetime], policy: WebhookPolicy
    ) -> None:
        self._broker = broker
        self._now = now
        self._policy = policy
        self._backlog = Backlog(broker, now)
        self._steps = ClockSteps(self._backlog, broker.evaluations)
        self._in_outage = False
        self._forget()

    def _forget(self) -> None:
        """Forget what was enqueued and done when: these times are no past any more."""
        self._companies = DueCompanies(self._backlog, self._broker.evaluations)
        self._deliveries = DueDeliveries(self._broker, self._policy)
        self._messages = DueMessages(self._broker)
        self._waiting_records = WaitingUpkeep(LaneQueue.of_events(self._broker.client))
        self._attempts_deleted_at = BEGINNING
        self._with_old_attempts: list[int] = []
        self._totals_refreshed_at = BEGINNING
        self._backtests_enqueued_at = BEGINNING

    def run(self, stopping: Stopping) -> None:
        """Tick until stopped, through outages of PostgreSQL and Redis."""
        while not stopping.is_set():
            try:
                with database.connection_context():
                    self._lead(stopping)
            except (*UNAVAILABLE, BrokerError, RedisError) as error:
                if not self._in_outage:
                    logger.warning("the clock waits for PostgreSQL or Redis: %s", describe(error))
                    self._in_outage = True
                stopping.wait(RETRY_PAUSE_SECONDS)

    def _lead(self, stopping: Stopping) -> None:
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
        if self._steps.observe(now):
            self._forget()
        number = self._steps.bring_back()
        since = self._companies.new_rules_since(now)
        if is_anything_due(until=now, rules_since=since):
            number += self._enqueue_due(now)
        number += self._deliveries.enqueue_other_turns(now)
        self._delete_old_attempts(now)
        self._waiting_records.look(now)
        self._enqueue_backtests(now)
        if now - self._totals_refreshed_at >= REFRESH_TOTALS_EVERY:
            self._refresh_totals(now)
        return number

    def _delete_old_attempts(self, now: datetime) -> None:
        """Delete a chunk of the attempts and messages that are kept no longer."""
        if now - self._attempts_deleted_at > DELETE_ATTEMPTS_EVERY:
            self._attempts_deleted_at = now
            self._with_old_attempts = [each.id for each in organizations.list_all()]
        if not self._with_old_attempts:
            return
        organization_id, limit = self._with_old_attempts[0], DELETE_ATTEMPTS_CHUNK
        deleted = deliveries.delete_attempts(
            organization_id, before=now - self._policy.attempts_kept_for, limit=limit
        )
        old = sent_messages.delete_old(
            organization_id, before=now - MESSAGES_KEPT_FOR, limit=DELETE_MESSAGES_CHUNK
        )
        if deleted < limit and old < DELETE_MESSAGES_CHUNK:
            self._with_old_attempts.pop(0)

    def _enqueue_due(self, now: datetime) -> int:
        """Enqueue due work as far as the queues have room; return the number of messages."""
        return (
            self._companies.enqueue(now)
            + self._deliveries.enqueue_due(now)
            + self._messages.enqueue(now)
        )

    def _enqueue_backtests(self, now: datetime) -> None:
        """Enqueue the backtests that no worker owns, unless others are enqueued already."""
        if now - self._backtests_enqueued_at < BACKTESTS_EVERY:
            return
        self._backtests_enqueued_at = now
        unowned = list_with_backtests(now)
        if unowned and not self._broker.waiting(messages.BACKTESTS):
            self._broker.enqueue_all(messages.advance_backtest(id_) for id_ in unowned)

    def _refresh_totals(self, now: datetime) -> None:
        """Enqueue a refresh of totals and forecasts, unless events wait or one is enqueued."""
        behind = self._backlog.read().longest_wait > BEHIND / 2
        if behind and now - self._totals_refreshed_at < REFRESH_TOTALS_WHILE_BEHIND:
            return
        if not self._broker.waiting(messages.TOTALS):
            stale = list_with_stale_forecasts(
                now,
                asked_within=refreshing.ASKED_WITHIN,
                fresh=refreshing.FRESH,
                cost_factor=refreshing.COST_FACTOR,
            )
            self._broker.enqueue_all(
                [messages.refresh_totals(), *map(messages.refresh_forecast, stale)]
            )
            self._totals_refreshed_at = now
