"""What a process has for its attempts, and which of them come first.

An attempt costs a thread while it waits for an answer, which is cheap, and CPU and a connection to
PostgreSQL before and after, which are not. An endpoint that hangs must not take from others either
of them. So endpoints that answered quickly last time come first, and a part of the threads is only
for them. What an endpoint did is remembered in this process.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from uuid import UUID

from actors.permits import Permits, Rank

QUICK_SECONDS = 1.0
"""An answer within this time is quick."""

KEPT_FREE = 4
"""One in so many threads is only for endpoints that answered quickly."""

MOST_WAITING_TO_WORK = 400
"""With more threads waiting to work than this, only quick endpoints get another one."""

LONGEST_REST_SECONDS = 0.02

REMEMBERED = 20_000
"""Endpoints whose last attempt is remembered."""


class Capacity:
    """The threads of this process, at most `threads`, and their work."""

    def __init__(self, threads: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._for_others = threads - threads // KEPT_FREE
        self._clock = clock
        self._lock = threading.Lock()
        self._quick: OrderedDict[UUID, bool] = OrderedDict()
        self._waiting: dict[int, tuple[UUID, float]] = {}  # the longest waiting first
        self._unfinished: Counter[UUID] = Counter()
        self._numbers = count()
        self.permits = Permits()

    def rank(self, endpoint_id: UUID) -> Rank:
        """Return the rank of an endpoint by its last attempt, or one that has waited too long."""
        with self._lock:
            return self._rank(endpoint_id)

    def has_room(self, endpoint_id: UUID) -> bool:
        """Whether this endpoint may have another thread."""
        with self._lock:
            others_have_room = (
                len(self._waiting) < self._for_others
                and self.permits.waiting < MOST_WAITING_TO_WORK
            )
            return others_have_room or self._rank(endpoint_id) is Rank.QUICK

    def unfinished(self, endpoint_id: UUID) -> int:
        """Return how many attempts to an endpoint began here and have no outcome yet."""
        with self._lock:
            return self._unfinished[endpoint_id]

    @contextmanager
    def attempting(self, endpoint_id: UUID) -> Iterator[None]:
        """Claim a delivery and make the attempt inside this context, but do not record it."""
        with self._lock:
            self._unfinished[endpoint_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._unfinished[endpoint_id] -= 1
                if not self._unfinished[endpoint_id]:
                    del self._unfinished[endpoint_id]

    @contextmanager
    def waiting(self, endpoint_id: UUID) -> Iterator[None]:
        """Wait for an endpoint inside this context, and remember whether it was quick."""
        number, started = next(self._numbers), self._clock()
        with self._lock:
            self._waiting[number] = (endpoint_id, started)
        try:
            yield
        finally:
            with self._lock:
                del self._waiting[number]
                self._quick[endpoint_id] = self._clock() - started <= QUICK_SECONDS
                self._quick.move_to_end(endpoint_id)
                if len(self._quick) > REMEMBERED:
                    self._quick.popitem(last=False)

    @contextmanager
    def working(self, organization_id: int, endpoint_id: UUID) -> Iterator[None]:
        """Work inside this context when it is the turn of an endpoint.

        Endpoints of a better rank come first, and within a rank organizations take turns. After
        work for one that is not quick, its permit rests for as long as the work took: when hundreds
        time out at once, quick ones hardly notice.
        """
        rank = self.rank(endpoint_id)
        self.permits.acquire(rank, organization_id)
        started = time.monotonic()
        try:
            yield
        finally:
            if rank is not Rank.QUICK:
                time.sleep(min(time.monotonic() - started, LONGEST_REST_SECONDS))
            self.permits.release(rank)

    def _rank(self, endpoint_id: UUID) -> Rank:
        hanging_since = self._clock() - QUICK_SECONDS
        for waiting_for, started in self._waiting.values():
            if started >= hanging_since:
                break
            if waiting_for == endpoint_id:
                return Rank.SLOW
        quick = self._quick.get(endpoint_id)
        if quick is None:
            return Rank.UNKNOWN
        return Rank.QUICK if quick else Rank.SLOW
