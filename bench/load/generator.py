"""The load generator: HTTP/1.1 over connections that stay open, from processes of its own.

A client does as little as it can per request: requests are built in advance, and of a response only
the status and the length are read. `python -m bench.load.generator` runs one such client; it takes
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
"""What a client is told while it runs. The first `GO` starts it."""

PREPARED = 10_000
"""Requests that a client makes before, with single events."""

ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Offer:
    """What a client posts: for so many seconds, or so many requests, as fast as it can or may.

    What is answered within `warm_up` seconds is not measured.
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
    """What came of it: answers by status, events accepted by organization, and times."""

    answers: Counter[int] = field(default_factory=Counter)
    accepted: Counter[int] = field(default_factory=Counter)
    latencies_ms: "array[float]" = field(default_factory=lambda: array("f"))
    per_second: float = 0.0
    cpu_seconds: float = 0.0

    def add(self, other: "Outcome") -> None:
        """Take in what another client saw at the same time."""
        self.answers += other.answers
        self.accepted += other.accepted
        self.latencies_ms.extend(other.latencies_ms)
        self.per_second += other.per_second
        self.cpu_seconds += other.cpu_seconds


class Connection:
    """A connection that stays open, with one request under way at most."""

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
        """The status and body, once the whole answer is there."""
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed the connection without an answer")
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if not found:
            return None
        _, _, after = head.lower().partition(b"content-length:")
        if len(body) < int(after.partition(b"\r\n")[0]):
            return None
        self._read = b""
        return int(head[9:12]), body


class _Client:
    """Posts what is offered, and waits for every answer before it ends."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        prepared = min(PREPARED // max(1, offer.traffic.batch), offer.requests or PREPARED)
        self._requests: Iterator[Request] = cycle(offer.traffic.requests(prepared, offer.seed))
        self._selector = selectors.DefaultSelector()
        self._selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        self._idle = [Connection(offer.port) for _ in range(offer.connections)]
        for connection in self._idle:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._open = True
        self._sent = 0
        self.outcome = Outcome()

    def run(self) -> Outcome:
        cpu_before = time.process_time()
        self._started = time.perf_counter()
        self._measured_from = self._started + self._offer.warm_up
        while self._post() or len(self._idle) < self._offer.connections:
            for key, _ in self._selector.select(self._wait()):
                if key.data is None:
                    self._obey(os.read(sys.stdin.fileno(), 1024))
                else:
                    self._take(key.data)
        measured = time.perf_counter() - self._measured_from
        self.outcome.per_second = len(self.outcome.latencies_ms) / measured
        self.outcome.cpu_seconds = time.process_time() - cpu_before
        return self.outcome

    def _post(self) -> bool:
        """Send what may be sent now; whether more is to come."""
        offer, passed = self._offer, time.perf_counter() - self._started
        if passed > offer.seconds or self._sent == offer.requests:
            return False
        may = len(self._idle) if self._open else 0
        if offer.per_second is not None:
            may = min(may, int(passed * offer.per_second) - self._sent)
        if offer.requests is not None:
            may = min(may, offer.requests - self._sent)
        for _ in range(may):
            self._idle.pop().send(next(self._requests))
        self._sent += max(0, may)
        return True

    def _wait(self) -> float:
        return 0.002 if self._offer.per_second else 0.05

    def _take(self, connection: Connection) -> None:
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

    def _obey(self, told: bytes) -> None:
        if not told:
            sys.exit("nobody waits for this any more")
        self._open = told.endswith(GO)


def main() -> None:
    """Be a client: an offer comes in, an outcome goes out."""
    client = _Client(pickle.load(sys.stdin.buffer))  # noqa: S301 -- from our own parent
    sys.stdout.buffer.write(b"ready\n")
    sys.stdout.buffer.flush()
    if sys.stdin.buffer.readline() == GO:
        pickle.dump(client.run(), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    # Under its own name, so that the parent can unpickle what it sends.
    from bench.load.generator import main as run

    run()
