"""Finds what is due and asks for it: flags, deliveries, and whatever a lost message left undone."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import dramatiq
from dramatiq.errors import BrokerError
from redis.exceptions import RedisError

from models import companies, deliveries, flag_states
from models.database import UNAVAILABLE, database, query
from queues import messages
from queues.broker import QueueBroker

logger = logging.getLogger("brazebee.clock")

TICK = 0.2
"""Seconds between looks, a fraction of the second within which a due flag must be judged."""

CHUNK = 500
"""The most of each kind that is asked for at a time; what is done makes room for the next."""

ASK_AGAIN_AFTER = timedelta(seconds=5)
"""What was asked for and is still due was perhaps lost."""

HINT_LOST_AFTER = timedelta(seconds=2)
"""An event's judgement is asked for when the event is stored; the clock waits this long for it."""

EVENTS_ON_THEIR_WAY = timedelta(milliseconds=250)
"""A flag is judged this long after it is due, for events that were posted in time and are not
stored yet."""

LONG_BACKLOG = timedelta(seconds=10)
"""An event that has waited this long to be stored is worth a line in the log."""

RETRY_PAUSE = 1.0
LEADER_LOCK = 0x62_7A_63
"""Any number of our own: `bzc`."""


class Clock:
    """The loop of the clock process. Several may run; the one that holds the lock leads."""

    def __init__(self, broker: QueueBroker, now: Callable[[], datetime]) -> None:
        self._broker = broker
        self._now = now
        self._asked: dict[str, datetime] = {}
        self._backlog = False

    def run(self, stopping: threading.Event) -> None:
        """Tick until told to stop, through outages of PostgreSQL and Redis."""
        away = False
        while not stopping.is_set():
            try:
                with database.connection_context():
                    if away:
                        logger.warning("the clock goes on")
                        away = False
                    self._lead(stopping)
            except (*UNAVAILABLE, BrokerError, RedisError) as error:
                if not away:
                    logger.warning("the clock waits: %s", str(error).strip())
                    away = True
                stopping.wait(RETRY_PAUSE)

    def _lead(self, stopping: threading.Event) -> None:
        while not query("select pg_try_advisory_lock(%(lock)s) as led", {"lock": LEADER_LOCK})[0][
            "led"
        ]:
            if stopping.wait(RETRY_PAUSE):
                return
        try:
            while not stopping.wait(TICK):
                self.tick()
        finally:
            if not database.is_closed():
                query("select pg_advisory_unlock(%(lock)s)", {"lock": LEADER_LOCK})

    def tick(self) -> int:
        """Ask once for all that is due; how many messages were sent."""
        now = self._now()
        self._asked = {key: at for key, at in self._asked.items() if at > now - ASK_AGAIN_AFTER}
        to_judge = [
            *self._due_flags(now),
            *companies.unsettled(before=now - HINT_LOST_AFTER, limit=CHUNK),
        ]
        wanted = [(messages.evaluate(company_id), str(since)) for company_id, since in to_judge]
        wanted += [
            (messages.evaluate(company_id), "rules")
            for company_id in companies.ids_judged_by_older_rules(limit=CHUNK)
        ]
        wanted += [(messages.deliver(*due), "") for due in deliveries.due(until=now, limit=CHUNK)]
        return self._ask(wanted, now)

    def _due_flags(self, now: datetime) -> list[tuple[int, datetime]]:
        """Companies with a due flag, and since when, as far as all events up to then are stored.

        An event that is still in the queue may be the one that keeps a company Healthy. So
        judging by time waits for it, and goes on from where it stood.
        """
        due = flag_states.due(until=now - EVENTS_ON_THEIR_WAY, limit=CHUNK)
        if not due:
            return []
        oldest = self._broker.oldest_unacknowledged(messages.EVENTS)
        backlog = oldest is not None and now - oldest > LONG_BACKLOG
        if backlog != self._backlog:
            self._backlog = backlog
            if backlog:
                logger.warning("events wait since %s, so changes by time wait too", oldest)
            else:
                logger.warning("no event waits long any more, changes by time go on")
        if oldest is None or oldest >= now:
            return due
        return flag_states.due(until=oldest - EVENTS_ON_THEIR_WAY, limit=CHUNK)

    def _ask(self, wanted: list[tuple[dramatiq.Message[None], str]], now: datetime) -> int:
        """Send each message once, unless it was sent lately for the same reason; how many."""
        sent = set()
        for message, reason in wanted:
            what = str(message)
            if f"{what} {reason}" in self._asked:
                continue
            if what not in sent:
                self._broker.enqueue(message)
                sent.add(what)
            self._asked[f"{what} {reason}"] = now
        return len(sent)
