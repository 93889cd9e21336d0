"""Keeps an event that cannot be stored now: it is neither lost nor passed on until it is."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from models.database import NOT_SET_UP, UNAVAILABLE

logger = logging.getLogger("brazebee.persist")

LONGEST_PAUSE = 2.0
"""Seconds between tries while PostgreSQL is away."""

T = TypeVar("T")
_outage = threading.Lock()


def until_available(work: Callable[[], T]) -> T:
    """Do `work`, again and again while PostgreSQL does not allow it.

    The thread waits in place, so the message stays unacknowledged and the rest stay in the
    queue. If the worker is stopped meanwhile, Redis gives the message to another one.
    """
    pause = 0.1
    told = False
    try:
        while True:
            try:
                return work()
            except (*UNAVAILABLE, *NOT_SET_UP) as error:
                if _outage.acquire(blocking=False):
                    told = True
                    logger.warning("holding events that cannot be stored: %s", str(error).strip())
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
    finally:
        if told:
            _outage.release()
            logger.warning("events can be stored again")
