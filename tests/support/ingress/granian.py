"""Requests as Granian passes them to an application, and the responses to them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field


@dataclass
class FakeHeaders:
    """Headers as Granian passes them: names in lower case, no values that are not ASCII."""

    sent: Sequence[tuple[str, str]]

    def __contains__(self, name: str, /) -> bool:
        return name in self.keys()

    def get(self, name: str, /) -> str | None:
        return next((value for known, value in self.items() if known == name), None)

    def keys(self) -> list[str]:
        return [name for name, _ in self.sent]

    def items(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.sent if value.isascii()]


@dataclass
class FakeScope:
    """A request without its body."""

    method: str
    path: str
    headers: FakeHeaders
    http_version: str = "1.1"
    server: str = "127.0.0.1:8000"
    client: str = "127.0.0.1:50000"
    scheme: str = "http"
    query_string: str = ""


@dataclass
class FakeExchange:
    """The parts of a body, and the response. A body that ends early breaks off; it may be slow."""

    parts: Sequence[bytes]
    breaks_off: bool = False
    slow: bool = False
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def __call__(self) -> bytes:
        if self.slow:
            await asyncio.Event().wait()
        if self.breaks_off:
            raise RuntimeError("RSGI transport is closed")
        return b"".join(self.parts)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part
        if self.slow:
            await asyncio.Event().wait()
        yield b""
        if self.breaks_off:
            yield b""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, dict(headers), body

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> "FakeExchange":
        self.status, self.headers = status, dict(headers)
        return self

    async def send_bytes(self, part: bytes) -> None:
        self.body += part
