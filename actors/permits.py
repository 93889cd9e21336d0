"""A few permits for each process to use the CPU and the database."""

import threading
from enum import IntEnum
from heapq import heappop, heappush
from itertools import count

WORKING = 4
"""The threads that may work at a time: more would get in each other's way."""

WORKING_FOR_OTHERS = 2
"""How many of them may work for endpoints that did not answer quickly."""


class Rank(IntEnum):
    """The order in which attempts get what they need."""

    QUICK = 0
    UNKNOWN = 1
    SLOW = 2


class Permits:
    """Permits to work, given by rank, and within a rank to organizations in turns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working = 0
        self._working_for_others = 0
        self._queue: list[tuple[Rank, int, int, threading.Event]] = []  # a heap
        self._numbers = count()
        self._turn = 0
        self._next_turns: dict[int, int] = {}

    @property
    def waiting(self) -> int:
        """How many threads wait for a permit."""
        return len(self._queue)

    def acquire(self, rank: Rank, organization_id: int) -> None:
        """Wait for a permit to work for an endpoint of this rank."""
        permitted = threading.Event()
        with self._lock:
            if not self._queue:
                self._next_turns.clear()
            turn = max(self._turn, self._next_turns.get(organization_id, 0))
            self._next_turns[organization_id] = turn + 1
            heappush(self._queue, (rank, turn, next(self._numbers), permitted))
            self._permit()
        permitted.wait()

    def release(self, rank: Rank) -> None:
        """Return a permit."""
        with self._lock:
            self._working -= 1
            self._working_for_others -= rank is not Rank.QUICK
            self._permit()

    def _permit(self) -> None:
        while self._queue and self._working < WORKING:
            rank, turn, _, permitted = self._queue[0]
            if rank is not Rank.QUICK and self._working_for_others >= WORKING_FOR_OTHERS:
                return
            heappop(self._queue)
            self._working += 1
            self._working_for_others += rank is not Rank.QUICK
            self._turn = turn
            permitted.set()
