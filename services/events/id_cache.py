"""Which rows companies and users have, remembered by a process that stores their events."""

import threading
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from models.companies import companies, users
from models.companies.companies import CompanyKey
from models.companies.users import UserKey

REMEMBERED = 100_000
"""Of each kind, some 30 MB; then all are forgotten, and those that come are looked up again."""

K = TypeVar("K", CompanyKey, UserKey)


class KnownIds:
    """Ids by the clients' own ones. They never change, but a row may be deleted."""

    def __init__(self) -> None:
        self.companies = _Ids(companies.ids)
        self.users = _Ids(users.ids)

    def forget(self) -> None:
        """Look everything up again."""
        self.companies.forget()
        self.users.forget()


class _Ids(Generic[K]):
    def __init__(self, look_up: Callable[[Collection[K]], dict[K, int]]) -> None:
        self._look_up = look_up
        self._known: dict[K, int] = {}
        self._lock = threading.Lock()

    def of(self, keys: Collection[K]) -> dict[K, int]:
        """The ids of those that exist. To be asked before the transaction at hand adds any."""
        with self._lock:
            found = {key: id_ for key in keys if (id_ := self._known.get(key)) is not None}
        unknown = [key for key in keys if key not in found]
        if unknown:
            looked_up = self._look_up(unknown)
            with self._lock:
                if len(self._known) + len(looked_up) > REMEMBERED:
                    self._known.clear()
                self._known.update(looked_up)
            found |= looked_up
        return found

    def forget(self) -> None:
        with self._lock:
            self._known.clear()
