"""Joins what the threads of a process have to do at the same time into one piece of work."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")

Part = tuple[Sequence[T], "Future[None]"]
"""What one thread brought, and what it waits for."""


class GroupCommit(Generic[T]):
    """Has one thread at a time do the work of all that wait.

    While one group is under way the next gathers, so a group is as large as the load makes it.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], None],
        *,
        most: int,
        of_all: tuple[type[Exception], ...] = (Exception,),
    ) -> None:
        """`work` takes up to `most` items, more only where one thread brings more.

        `of_all` are the errors that all of a group are told of. After any other each part of the
        group is done by itself, so that only who brought the reason is told.
        """
        self._work = work
        self._most = most
        self._of_all = of_all
        self._gathering: list[Part[T]] = []
        self._gate = threading.Lock()
        self._turn = threading.Lock()

    def submit(self, items: Sequence[T]) -> None:
        """Return when the work is done on these items; raises what it raised."""
        done: Future[None] = Future()
        with self._gate:
            self._gathering.append((items, done))
        with self._turn:
            while not done.done():
                self._do(self._next_group())
        done.result()

    def _next_group(self) -> list[Part[T]]:
        with self._gate:
            size = taken = 0
            for items, _ in self._gathering:
                if taken and size + len(items) > self._most:
                    break
                size += len(items)
                taken += 1
            group = self._gathering[:taken]
            del self._gathering[:taken]
        return group

    def _do(self, group: Sequence[Part[T]]) -> None:
        try:
            self._work([item for items, _ in group for item in items])
        except Exception as error:  # noqa: BLE001 -- it is raised where it is waited for
            if len(group) == 1 or isinstance(error, self._of_all):
                for _, done in group:
                    done.set_exception(error)
                return
            for part in group:
                self._do([part])
        else:
            for _, done in group:
                done.set_result(None)
