"""What Granian passes to an application, as far as it is used (RSGI 1.5)."""

from collections.abc import AsyncIterator
from typing import Protocol


class RequestHeaders(Protocol):
    """The headers of a request, by their names in lower case, without values that are not ASCII."""

    def __contains__(self, name: str, /) -> bool: ...
    def get(self, name: str, /) -> str | None:
        """Return the first value of a header."""

    def keys(self) -> list[str]:
        """Return all names."""

    def items(self) -> list[tuple[str, str]]:
        """Return all names and values."""


class Scope(Protocol):
    """A request without its body. Addresses are `host:port`; the path is percent-decoded."""

    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str

    @property
    def headers(self) -> RequestHeaders:
        """The headers."""


class Sending(Protocol):
    """A response that is sent in parts."""

    async def send_bytes(self, part: bytes) -> None:
        """Send a part, and wait until the client takes it."""


class Exchange(Protocol):
    """The body of a request, and the way to respond."""

    async def __call__(self) -> bytes:
        """Return the whole body; raises RuntimeError if it breaks off."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Respond."""

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Sending:
        """Begin to respond."""
