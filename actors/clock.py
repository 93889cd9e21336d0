"""Finds what is due and asks for it: flags, overrides, deliveries, and what was left undone."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import dramatiq
from dramatiq.errors import BrokerError
from redis.exceptions import RedisError

from config.webhook_policy import WebhookPolicy
from models.companies import companies
from models.database import UNAVAILABLE, database
from models.health import due, flag_overrides, flag_states
from models.locks import AdvisoryLock, release_for_session, try_lock_for_session
from models.webhooks import deliveries
from queues import messages
from queues.backlog import BEHIND, EVENTS_ON_THEIR_WAY, Horizon
from queues.broker import QueueBroker
from rules.durations import BEGINNING

logger = logging.getLogger("brazebee.clock")

TICK = 0.2
"""Seconds between looks, a fraction of the second within which a due flag must be judged."""

CHUNK = 500
"""The most of each kind that is asked for at a time; what is done makes room for the next."""

SECOND = timedelta(seconds=1)

ASK_AGAIN = timedelta(seconds=5)
"""What was asked for and is still due was perhaps lost."""

HINT_LOST_AFTER = timedelta(seconds=2)
"""An event's judgement is asked for when the event is stored; the clock waits this long for it."""

WHILE_BEHIND = 20
"""Companies that are judged in a second while events wait: storing those comes first."""

LONG_BACKLOG = timedelta(seconds=10)
"""An event that has waited this long to be stored is worth a line in the log."""

SUM_UP_EVERY = timedelta(seconds=10)
"""Between looks at what pages read of all events: what is distinct is no newer than that."""

SUM_UP_WHILE_BEHIND = timedelta(minutes=1)
"""The same while events wait: storing them comes first."""

FORGET_EVERY = timedelta(hours=1)
FORGET_CHUNK = 1_000
"""Attempts that are deleted in one tick."""

Reason = tuple[Any, Any]
"""What is asked for, and why: a company and since when a flag is due, or the state of its row that
is unsettled; a delivery and its attempt."""

RETRY_PAUSE = 1.0


class Clock:
    """The loop of the clock process. Several may run; the one that holds the lock leads."""

    def __init__(
        self, broker: QueueBroker, now: Callable[[], datetime], policy: WebhookPolicy
    ) -> None:
        self._broker = broker
        self._now = now
        self._policy = policy
        self._horizon = Horizon(broker, now)
        self._asked: dict[Reason, datetime] = {}
        self._backlog = False
        self._behind_at = BEGINNING
        self._judged_behind_at = BEGINNING
        self._forgot_at = BEGINNING
        self._summed_up_at = BEGINNING
        self._away = False

    def run(self, stopping: threading.Event) -> None:
        """Tick until told to stop, through outages of PostgreSQL and Redis."""
        while not stopping.is_set():
            try:
                with database.connection_context():
                    self._lead(stopping)
            except (*UNAVAILABLE, BrokerError, RedisError) as error:
                if not self._away:
                    logger.warning("the clock waits: %s", str(error).strip())
                    self._away = True
                stopping.wait(RETRY_PAUSE)

    def _lead(self, stopping: threading.Event) -> None:
        while not try_lock_for_session(AdvisoryLock.CLOCK):
            if stopping.wait(RETRY_PAUSE):
                return
        try:
            while not stopping.wait(TICK):
                self.tick()
                if self._away:
                    logger.warning("the clock goes on")
                    self._away = False
        finally:
            if not database.is_closed():
                release_for_session(AdvisoryLock.CLOCK)

    def tick(self) -> int:
        """Ask once for all that is due; how many messages were sent for that."""
        now = self._now()
        self._asked = {reason: at for reason, at in self._asked.items() if at > now - ASK_AGAIN}
        sent = self._ask_for_all(now) if due.anything(until=now) else 0
        if now - self._forgot_at > FORGET_EVERY and not deliveries.forget_attempts(
            before=now - self._policy.attempts_kept_for, limit=FORGET_CHUNK
        ):
            self._forgot_at = now
        if now - self._summed_up_at >= SUM_UP_EVERY:
            self._sum_up(now)
        return sent

    def _ask_for_all(self, now: datetime) -> int:
        """Ask for whatever is due, as far as there is room for it; how many messages were sent."""
        sent = 0
        if self._broker.waiting(messages.HEALTH) < CHUNK:
            outdated = companies.ids_judged_by_older_rules(limit=CHUNK)
            to_judge: list[Reason] = [*self._due_flags(now), *self._unsettled(now)]
            to_judge += [(company_id, None) for company_id in outdated]
            sent += self._ask(to_judge, lambda company_id, _: messages.evaluate(company_id), now)
        if self._broker.waiting(messages.WEBHOOKS) < CHUNK:
            to_send: list[Reason] = [*deliveries.due(until=now, limit=CHUNK)]
            to_send += deliveries.probes(until=now, limit=CHUNK)
            sent += self._ask(to_send, messages.deliver, now)
        return sent

    def _sum_up(self, now: datetime) -> None:
        """Ask for it, unless events wait or it is asked for already."""
        behind = self._horizon.is_behind(by=BEHIND / 2)
        if behind and now - self._summed_up_at < SUM_UP_WHILE_BEHIND:
            return
        if not self._broker.waiting(messages.READING):
            self._broker.enqueue(messages.sum_up())
            self._summed_up_at = now

    def _due_flags(self, now: datetime) -> list[tuple[int, datetime]]:
        """Companies of which a flag, or the start or end of an override, is due, and since when.

        As far as all events up to then are stored.
        """
        until = now - EVENTS_ON_THEIR_WAY
        if not (flag_states.due(until=until, limit=1) or flag_overrides.due(until=until, limit=1)):
            return []
        known_until = self._horizon.known_until()
        backlog = now - known_until > LONG_BACKLOG
        if backlog != self._backlog:
            self._backlog = backlog
            if backlog:
                logger.warning("events wait since %s, so changes by time wait too", known_until)
            else:
                logger.warning("no event waits long any more, changes by time go on")
        asked = [reason for reason in self._asked if isinstance(reason[1], datetime)]
        until = min(until, known_until)
        return [
            *flag_states.due(until=until, limit=CHUNK, leave_out=asked),
            *flag_overrides.due(until=until, limit=CHUNK, leave_out=asked),
        ]

    def _unsettled(self, now: datetime) -> list[tuple[int, str]]:
        """Companies of which a judgement got lost or was put off, and which state of theirs."""
        until, limit = now - HINT_LOST_AFTER, CHUNK
        if self._horizon.is_behind(by=BEHIND / 2):
            self._behind_at = now
            if now - self._judged_behind_at < SECOND:
                return []
            self._judged_behind_at, limit = now, WHILE_BEHIND
        elif now - self._behind_at < HINT_LOST_AFTER:
            until = now  # whoever was put off is judged now
        # What was asked for and cannot be judged must not stand before the others.
        asked = [reason for reason in self._asked if isinstance(reason[1], str)]
        return companies.unsettled(until=until, limit=limit, leave_out=asked)

    def _ask(
        self,
        reasons: Sequence[Reason],
        message_for: Callable[..., dramatiq.Message[None]],
        now: datetime,
    ) -> int:
        """Send each message once, unless it was sent lately for the same reason; how many."""
        sent = set()
        for reason in reasons:
            if reason in self._asked:
                continue
            message = message_for(*reason)
            if str(message) not in sent:
                self._broker.enqueue(message)
                sent.add(str(message))
            self._asked[reason] = now
        return len(sent)
