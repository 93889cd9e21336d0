"""Rule books by organization and version, each read once in a process."""

import threading

from cachetools import LRUCache, cachedmethod
from cachetools.keys import hashkey

from models.organizations import rule_versions
from rules.book import RuleBook
from rules.faults import RuleFileError
from rules.file.rule_file import read_rules
from rules.statuses import DEFAULT_STATUSES
from services.errors import ServiceError

CACHED_BOOKS = 1_000

NO_RULES = RuleBook(statuses=DEFAULT_STATUSES, events={}, flags=())
"""The book of an organization that has no rules."""


class RulesUnreadable(ServiceError):
    """Raised when a stored version cannot be read because newer code is stricter."""


class RuleBooks:
    """A cache of rule books. A version never changes, so no entry becomes stale."""

    def __init__(self) -> None:
        self._books: LRUCache[object, RuleBook | RulesUnreadable] = LRUCache(CACHED_BOOKS)
        self._lock = threading.Lock()

    def book(self, organization_id: int, version: int) -> RuleBook:
        """Return the book of one version.

        Raises:
            LookupError: there is no such version.
            RulesUnreadable: the current reader finds faults in it.
        """
        book = self._read(organization_id, version)
        if isinstance(book, RulesUnreadable):
            raise book
        return book

    def book_if_readable(self, organization_id: int, version: int) -> RuleBook | None:
        """Return the book of one version; None if it cannot be read.

        Raises:
            LookupError: there is no such version.
        """
        book = self._read(organization_id, version)
        return None if isinstance(book, RulesUnreadable) else book

    @cachedmethod(
        lambda self: self._books,
        key=lambda _self, *args: hashkey(*args),
        lock=lambda self: self._lock,
    )
    def _read(self, organization_id: int, version: int) -> RuleBook | RulesUnreadable:
        if version == 0:
            return NO_RULES
        stored = rule_versions.find(organization_id, version)
        if stored is None:
            raise LookupError(f"organization {organization_id} has no rules version {version}")
        try:
            return read_rules(stored.source)
        except RuleFileError as error:
            return RulesUnreadable(
                f"version {version} of organization {organization_id} cannot be read: {error}"
            )
