"""Sends bytes to a server, and reads what it answers."""

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from fuzz.hostile import encode

LIMIT_SECONDS = 2.0
"""Within this time, every input is answered or its connection closed."""

LONGEST_WAIT = 20.0

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_PART = 65_536


@dataclass(frozen=True)
class Answer:
    """What came back: the statuses of all responses, the bytes, and how long it took."""

    statuses: tuple[int, ...]
    data: bytes
    seconds: float
    is_refused: bool = False

    @property
    def fault(self) -> str | None:
        """What is wrong with it; None if nothing is."""
        if self.is_refused:
            return "nothing listens any more"
        if self.seconds > LIMIT_SECONDS:
            return f"took {self.seconds:.1f} s"
        errors = [status for status in self.statuses if status >= 500]
        return f"status {errors[0]}" if errors else None


def exchange(port: int, data: bytes, patience: float = LONGEST_WAIT) -> Answer:
    """Send bytes on a new connection, and read until the server closes it.

    If nothing comes for `patience` seconds, the sending side is closed: the bytes may be no
    complete request, or ask to keep the connection. The time of the answer counts from then.
    """
    began = time.perf_counter()
    received = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
            connection.sendall(data)
            is_ended = False
            while True:
                try:
                    part = connection.recv(_PART)
                except TimeoutError:
                    if is_ended:
                        break  # the time shows it
                    connection.settimeout(LONGEST_WAIT)
                    connection.shutdown(socket.SHUT_WR)
                    began, is_ended = time.perf_counter(), True
                    continue
                if not part:
                    break
                received += part
    except ConnectionRefusedError:
        return Answer((), b"", 0.0, is_refused=True)
    except ConnectionError:
        pass  # the server closed it before it had read everything, as it may
    statuses = tuple(int(status) for status in _STATUS.findall(received))
    return Answer(statuses, received, time.perf_counter() - began)


def request(method: str, path: str, headers: Mapping[str, str | bytes], body: bytes = b"") -> bytes:
    """Return the bytes of a request whose connection is closed afterwards."""
    lines = [encode(f"{method} {path} HTTP/1.1"), b"Host: 127.0.0.1", b"Connection: close"]
    if method == "POST":
        lines.append(b"Content-Length: %d" % len(body))
    for name, given in headers.items():
        lines.append(encode(name) + b": " + (encode(given) if isinstance(given, str) else given))
    return b"\r\n".join([*lines, b"", body])
