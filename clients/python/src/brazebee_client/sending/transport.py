"""Posts JSON to the API over one connection that is kept."""

from __future__ import annotations

import encodings.idna  # noqa: F401 -- else the first connection imports it: see below
import gzip
import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union
from urllib.parse import urlsplit

from brazebee_client.version import __version__

# Whatever sending needs is imported with this package. If the application forks while a thread
# imports a module, the child never gets that module.

LARGEST_ANSWER = 1_000_000
WORTH_COMPRESSING = 1_000
"""Bytes from which a body is compressed."""

_Connection = Union[http.client.HTTPConnection, http.client.HTTPSConnection]


class Unreachable(Exception):
    """Raised when a request got no complete answer; nobody knows whether it was received."""


@dataclass(frozen=True)
class Answer:
    """A complete answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """A connection to the API. One thread at a time uses it."""

    def __init__(self, url: str, api_key: str, timeout: float) -> None:
        parts = urlsplit(url)
        self._is_secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._prefix = parts.path.rstrip("/")
        self._timeout = timeout
        self._headers = {
            "x-api-key": api_key,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"brazebee-client-python/{__version__}",
        }
        self._connection: _Connection | None = None

    def post(self, path: str, body: bytes) -> Answer:
        """Post a body and return the answer; redirections are not followed.

        Raises:
            Unreachable: no complete answer came in time.
        """
        headers = dict(self._headers)
        if len(body) >= WORTH_COMPRESSING:
            body = gzip.compress(body, 5)
            headers["Content-Encoding"] = "gzip"
        was_used = self._connection is not None
        try:
            return self._exchange(path, body, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            self.close()
            if not was_used:
                raise Unreachable(_told(error)) from error
        except Exception as error:
            self.close()
            raise Unreachable(_told(error)) from error
        try:  # the server had closed an idle connection
            return self._exchange(path, body, headers)
        except Exception as error:
            self.close()
            raise Unreachable(_told(error)) from error

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _exchange(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        deadline = time.monotonic() + 3 * self._timeout
        if self._connection is None:
            made = http.client.HTTPSConnection if self._is_secure else http.client.HTTPConnection
            self._connection = made(self._host, self._port, timeout=self._timeout)
        self._connection.request("POST", f"{self._prefix}{path}", body, headers)
        response = self._connection.getresponse()
        read = bytearray()
        while chunk := response.read1(65_536):
            read += chunk
            if len(read) > LARGEST_ANSWER or time.monotonic() > deadline:
                raise TimeoutError("The answer has no end")
        if response.length:
            raise http.client.IncompleteRead(bytes(read), response.length)
        response.close()  # of which the connection is free for the next request
        if response.will_close:
            self.close()
        return Answer(response.status, {**response.headers}, bytes(read))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
