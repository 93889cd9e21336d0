"""The scopes of API keys: what a key may do. A key has one or more."""

from collections.abc import Collection
from enum import StrEnum


class Scope(StrEnum):
    """The scopes, in the order in which they are listed."""

    SEND = "send"
    READ = "read"
    MANAGE = "manage"

    @property
    def meaning(self) -> str:
        """A sentence about what the scope allows."""
        return _MEANINGS[self]


DEFAULT_SCOPES = (Scope.SEND,)
"""The scopes of a new key unless others are chosen."""

USED_SCOPES = (Scope.SEND, Scope.READ)
"""The scopes that some request of the API needs."""

_MEANINGS = {
    Scope.SEND: "Sends events, fields of companies and users, and outcomes of companies.",
    Scope.READ: "Reads all companies, why they have their health, and how it changes.",
    Scope.MANAGE: "Changes settings. The API has no such request yet.",
}


def in_order(names: Collection[str]) -> tuple[Scope, ...]:
    """Return the scopes with these names, each once.

    Other names are ignored: a newer release may have stored them.
    """
    return tuple(scope for scope in Scope if scope in names)
