"""The row ids of companies and users, cached by a process that stores their events.

Saves two queries for a bundle of events of known companies. Storing 200 events of 2,000 companies
and users, each with one flag, takes 20.5 ms with the cache and 22.7 ms without, a gain of 10 %;
see `bench/README.md`.
"""

import threading
from collections.abc import Callable, Collection

from models.companies import companies, users

MAX_CACHED = 100_000
"""Ids of companies and of users each, about 30 MB. A full cache is emptied and filled again."""


class IdCache:
    """Row ids by the clients' own ids. An id never changes, but its row may be deleted."""

    def __init__(self) -> None:
        self.companies = _Ids(companies.find_ids)
        self.users = _Ids(users.find_ids)

    def clear(self) -> None:
        """Read every id from the database again."""
        self.companies.clear()
        self.users.clear()


class _Ids:
    def __init__(self, read_ids: Callable[[int, Collection[str]], dict[str, int]]) -> None:
        self._read_ids = read_ids
        self._cached: dict[tuple[int, str], int] = {}
        self._lock = threading.Lock()

    def of(self, organization_id: int, external_ids: Collection[str]) -> dict[str, int]:
        """Return the ids of an organization's existing rows by the client's own ids.

        Call it before the transaction adds any row: it may be rolled back, and the id with it.
        """
        with self._lock:
            ids = {
                external_id: id_
                for external_id in external_ids
                if (id_ := self._cached.get((organization_id, external_id))) is not None
            }
        missing = [external_id for external_id in external_ids if external_id not in ids]
        if missing:
            read = self._read_ids(organization_id, missing)
            with self._lock:
                if len(self._cached) + len(read) > MAX_CACHED:
                    self._cached.clear()
                for external_id, id_ in read.items():
                    self._cached[organization_id, external_id] = id_
            ids |= read
        return ids

    def clear(self) -> None:
        with self._lock:
            self._cached.clear()
