"""Runs a WSGI application for the requests of an event loop."""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

import orjson

from serving.body import BodyError, read_body
from serving.rsgi import Exchange, Scope
from serving.scopes import ReadableHeaders, client_address

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Headers = list[tuple[str, str]]

NO_PATHS: Mapping[str, int] = MappingProxyType({})

IN_MEMORY = 1024 * 1024
"""Bytes of a response that are kept in memory; the rest is written to a temporary file."""

PART = 64 * 1024

MOST_WAITING = 256
"""Requests that wait for a thread; further ones are refused."""


@dataclass
class Response:
    """A complete response."""

    status: int
    headers: Headers
    body: bytes | IO[bytes]


class InThreads:
    """An RSGI application that reads a request, runs a WSGI application, and sends its response.

    Neither a body that arrives slowly nor a response that is read slowly occupies a thread.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        threads: int,
        largest_body: int,
        larger_bodies: Mapping[str, int] = NO_PATHS,
    ) -> None:
        """`larger_bodies` has the paths whose bodies may be larger than `largest_body`."""
        self._app = app
        self._largest_body = largest_body
        self._larger_bodies = larger_bodies
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._waiting = 0

    async def __rsgi__(self, scope: Scope, protocol: Exchange) -> None:
        """Handle a request."""
        if self._waiting >= MOST_WAITING:
            refuse(protocol, 503, "Too many requests are waiting", ("Retry-After", "1"))
            return
        try:
            largest = self._larger_bodies.get(scope.path, self._largest_body)
            body = await read_body(scope, protocol, largest)
        except BodyError as error:
            refuse(protocol, error.status, str(error))
            return
        await send(protocol, await self.in_thread(self._run, scope, body))

    def close(self) -> None:
        """End the threads, after their requests."""
        self._threads.shutdown()

    async def in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        """Run a call that may block, and return its result."""
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)
        finally:
            self._waiting -= 1

    def _run(self, scope: Scope, body: bytes) -> Response:
        response = Response(500, [], b"")

        def start_response(status: str, headers: Headers, _exc_info: Any = None) -> Any:
            response.status, response.headers = int(status[:3]), headers
            return _write_is_not_supported

        parts = self._app(environ(scope, body), start_response)
        try:
            response.body = _whole(parts)
        finally:
            if close := getattr(parts, "close", None):
                close()
        return response


def refuse(protocol: Exchange, status: int, message: str, *headers: tuple[str, str]) -> None:
    """Answer a request that no application gets, and close its connection."""
    all_headers = [("Content-Type", "application/json"), ("Connection", "close"), *headers]
    protocol.response_bytes(status, all_headers, orjson.dumps({"error": message}))


async def send(protocol: Exchange, response: Response) -> None:
    """Send a response, a part at a time if it is large."""
    body = response.body
    headers = [(name.lower(), value) for name, value in response.headers]
    if isinstance(body, bytes):
        protocol.response_bytes(response.status, headers, body)
        return
    with body:
        transport = protocol.response_stream(response.status, headers)
        while part := body.read(PART):
            await transport.send_bytes(part)


def environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """Return the WSGI environment of a request.

    Headers whose name has an underscore are left out: they would be taken for those with a hyphen,
    which a proxy sets.
    """
    server, _, port = scope.server.rpartition(":")
    made: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": client_address(scope),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name, value in ReadableHeaders(scope).items():
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        made[key] = f"{made[key]},{value}" if key in made else value
    return made


def _whole(parts: Iterable[bytes]) -> bytes | IO[bytes]:
    """Return all parts of a response, in a temporary file if they are large."""
    first, size = [], 0
    iterator = iter(parts)
    for part in iterator:
        first.append(part)
        size += len(part)
        if size > IN_MEMORY:
            whole = tempfile.TemporaryFile()  # noqa: SIM115 -- the sender closes it
            whole.writelines(first)
            whole.writelines(iterator)
            whole.seek(0)
            return whole
    return b"".join(first)


def _write_is_not_supported(_data: bytes) -> None:
    raise NotImplementedError("an application returns its response")
