"""Reads what Granian knows of a request."""

from werkzeug.http import parse_list_header

from serving.rsgi import Scope

UNREADABLE = "\N{REPLACEMENT CHARACTER}"
"""Takes the place of a header's value that is not ASCII, which Granian leaves out."""


class ReadableHeaders:
    """The headers of a request by their names in lower case; of several alike, the first."""

    def __init__(self, scope: Scope) -> None:
        self._headers = scope.headers

    def get(self, name: str, /) -> str | None:
        """Return the value of a header; None if it is missing."""
        value: str | None = self._headers.get(name)
        return UNREADABLE if value is None and name in self._headers else value

    def items(self) -> list[tuple[str, str]]:
        """Return all names and values."""
        items = self._headers.items()
        unreadable = {*self._headers.keys()} - {name for name, _ in items}
        return [*items, *((name, UNREADABLE) for name in unreadable)]


def client_address(scope: Scope, trusted_proxies: int = 0) -> str:
    """Return the address of the client, without its port.

    That is the one that the first of the trusted proxies reports, as Werkzeug's `ProxyFix` has it.
    """
    peer = scope.client.rpartition(":")[0].strip("[]")
    if not trusted_proxies:
        return peer
    values = [value for name, value in scope.headers.items() if name == "x-forwarded-for"]
    forwarded = parse_list_header(",".join(values))
    return (forwarded[-trusted_proxies] if len(forwarded) >= trusted_proxies else "") or peer
