"""Reads the bodies of requests within limits of size and time."""

import asyncio

from serving.rsgi import Exchange, Scope

BODY_SECONDS = 15.0
"""The time for a body, from the end of the headers on: enough for 1 MB at 70 KB/s."""


class BodyError(Exception):
    """Raised when a body does not arrive as it should; `status` answers it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_body(scope: Scope, protocol: Exchange, largest: int) -> bytes:
    """Return the body of a request.

    Of one that is too large, it returns nothing if the header has its length, and otherwise the
    first `largest` bytes and some more: the application refuses it.

    Raises:
        BodyError: it breaks off, or takes too long.
    """
    length = scope.headers.get("content-length")
    if length is None and "transfer-encoding" not in scope.headers:
        return b""
    try:
        expected = None if length is None else int(length)
    except ValueError:
        raise BodyError(400, "The header Content-Length is not a number") from None
    if expected is not None and expected > largest:
        return b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await (protocol() if expected is not None else _first(protocol, largest))
    except TimeoutError:
        message = f"The body was not complete after {BODY_SECONDS:g} seconds"
        raise BodyError(408, message) from None
    except RuntimeError:  # the connection was closed, or its framing is wrong
        raise BodyError(400, "The body breaks off") from None
    if expected is not None and len(body) != expected:
        raise BodyError(400, "The body breaks off")
    return body


async def _first(protocol: Exchange, largest: int) -> bytes:
    """Read a body of unknown length, as long as it is not too large.

    Raises:
        BodyError: it breaks off. Granian does not raise then, but ends with two empty parts instead
            of one.
    """
    parts, size, empty = [], 0, 0
    async for part in protocol:
        parts.append(part)
        size += len(part)
        empty += not part
        if size > largest:
            break
    if empty > 1:
        raise BodyError(400, "The body breaks off")
    return b"".join(parts)
