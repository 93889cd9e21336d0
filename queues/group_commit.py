"""Joins what the threads of a process have to do at the same time into one piece of work."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class _Part(Generic[T]):
    """What one thread brought. It is woken when that is done, or to lead the next group."""

    def __init__(self, items: Sequence[T]) -> None:
        self.items = items
        self.done = False
        self.error: BaseException | None = None
        self.woken = threading.Event()


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
        self._gathering: list[_Part[T]] = []
        self._led = False
        self._gate = threading.Lock()

    def submit(self, items: Sequence[T]) -> None:
        """Return when the work is done on these items; raises what it raised."""
        part = _Part(items)
        with self._gate:
            self._gathering.append(part)
            leads = not self._led
            self._led = True
        if not leads:
            part.woken.wait()
        if not part.done:
            self._lead()
        if part.error is not None:
            raise part.error

    def _lead(self) -> None:
        """Do the next group, which begins with the leader's own part."""
        group = self._next_group()
        self._do(group)
        with self._gate:
            successor = self._gathering[0] if self._gathering else None
            self._led = successor is not None
        if successor is not None:
            successor.woken.set()
        for part in group:
            part.woken.set()

    def _next_group(self) -> list[_Part[T]]:
        with self._gate:
            size = taken = 0
            for part in self._gathering:
                if taken and size + len(part.items) > self._most:
                    break
                size += len(part.items)
                taken += 1
            group = self._gathering[:taken]
            del self._gathering[:taken]
        return group

    def _do(self, group: Sequence[_Part[T]]) -> None:
        error: BaseException | None = None
        try:
            self._work([item for part in group for item in part.items])
        except BaseException as raised:  # noqa: BLE001 -- it is raised where it is waited for
            error = raised
        if error is None or len(group) == 1 or isinstance(error, self._of_all):
            for part in group:
                part.done, part.error = True, error
        else:
            for part in group:
                self._do([part])
