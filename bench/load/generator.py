"""The load generator: HTTP/1.1 over persistent connections, from separate processes.

A client does as little as possible per request: requests are built in advance, and only the status
and the length of a response are read. `python -m bench.load.generator` runs one client, which takes
commands from standard input.
"""

import json
import os
import pickle
import selectors
import socket
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

from bench.load.traffic import Request, Traffic

PAUSE, GO = b"p\n", b"g\n"
"""Commands to a client. The first `GO` starts it, later ones end a pause."""

PREPARED = 10_000
"""Events in the requests that a client builds in advance."""

ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Offer:
    """What a client posts, until `seconds` or `requests` are reached, at `per_second` if set.

    Responses within the first `warm_up` seconds are not measured.
    """

    port: int
    traffic: Traffic
    connections: int = 8
    seconds: float = 3600.0
    requests: int | None = None
    per_second: float | None = None
    warm_up: float = 0.0
    seed: int = 1


@dataclass
class Outcome:
    """The result: responses by status, accepted events by organization, and latencies."""

    answers: Counter[int] = field(default_factory=Counter)
    accepted: Counter[int] = field(default_factory=Counter)
    latencies_ms: "array[float]" = field(default_factory=lambda: array("f"))
    per_second: float = 0.0
    cpu_seconds: float = 0.0

    def add(self, other: "Outcome") -> None:
        """Add the outcome of another client that ran at the same time."""
        self.answers += other.answers
        self.accepted += other.accepted
        self.latencies_ms.extend(other.latencies_ms)
        self.per_second += other.per_second
        self.cpu_seconds += other.cpu_seconds


class Connection:
    """A persistent connection with at most one pending request."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def send(self, request: Request) -> None:
        """Send a request."""
        self.request = request
        self.sent_at = time.perf_counter()
        self.socket.sendall(request.data)

    def receive(self) -> tuple[int, bytes] | None:
        """Return the status and the body once the response is complete, else None."""
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed the connection without a response")
        self._read += data
        head, separator, body = self._read.partition(b"\r\n\r\n")
        if not separator:
            return None
        _, _, after = head.lower().partition(b"content-length:")
        if len(body) < int(after.partition(b"\r\n")[0]):
            return None
        self._read = b""
        return int(head[9:12]), body


class _Client:
    """Posts an offer, and waits for every response before it ends."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        prepared = min(PREPARED // max(1, offer.traffic.batch), offer.requests or PREPARED)
        self._requests: Iterator[Request] = cycle(offer.traffic.requests(prepared, offer.seed))
        self._selector = selectors.DefaultSelector()
        self._selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        self._idle = [Connection(offer.port) for _ in range(offer.connections)]
        for connection in self._idle:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._paused = False
        self._sent = 0
        self.outcome = Outcome()

    def run(self) -> Outcome:
        cpu_before = time.process_time()
        self._started = time.perf_counter()
        self._measured_from = self._started + self._offer.warm_up
        while self._post() or len(self._idle) < self._offer.connections:
            for key, _ in self._selector.select(self._wait()):
                if key.data is None:
                    self._handle(os.read(sys.stdin.fileno(), 1024))
                else:
                    self._receive(key.data)
        measured = time.perf_counter() - self._measured_from
        self.outcome.per_second = len(self.outcome.latencies_ms) / measured
        self.outcome.cpu_seconds = time.process_time() - cpu_before
        return self.outcome

    def _post(self) -> bool:
        """Send the requests that are due; return whether more will follow."""
        offer, passed = self._offer, time.perf_counter() - self._started
        if passed > offer.seconds or self._sent == offer.requests:
            return False
        number = len(self._idle) if not self._paused else 0
        if offer.per_second is not None:
            number = min(number, int(passed * offer.per_second) - self._sent)
        if offer.requests is not None:
            number = min(number, offer.requests - self._sent)
        for _ in range(number):
            self._idle.pop().send(next(self._requests))
        self._sent += max(0, number)
        return True

    def _wait(self) -> float:
        return 0.002 if self._offer.per_second else 0.05

    def _receive(self, connection: Connection) -> None:
        answer = connection.receive()
        if answer is None:
            return
        now = time.perf_counter()
        status, body = answer
        self.outcome.answers[status] += 1
        if now >= self._measured_from:
            self.outcome.latencies_ms.append((now - connection.sent_at) * 1000)
        if status == 200:
            batch = self._offer.traffic.batch
            accepted = int(json.loads(body)["accepted"]) if batch else 1
            self.outcome.accepted[connection.request.organization] += accepted
        self._idle.append(connection)

    def _handle(self, command: bytes) -> None:
        if not command:
            sys.exit("the parent process has ended")
        self._paused = not command.endswith(GO)


def main() -> None:
    """Run a client: read an offer from standard input, write its outcome to standard output."""
    client = _Client(pickle.load(sys.stdin.buffer))  # noqa: S301 -- from our own parent
    sys.stdout.buffer.write(b"ready\n")
    sys.stdout.buffer.flush()
    if sys.stdin.buffer.readline() == GO:
        pickle.dump(client.run(), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    # Imported by its full name, so that the parent can unpickle the outcome.
    from bench.load.generator import main as run

    run()
