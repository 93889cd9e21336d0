"""Webhook receivers on loopback: one that answers at once, and ones that do not."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from demo.webhook_receiver import webhook_receiver


@contextmanager
def fast_receiver(on_body: Callable[[bytes], object] = len) -> Iterator[str]:
    """Accept every webhook at once and pass on its body; yield the receiver's URL."""
    with webhook_receiver(lambda _headers, body: on_body(body)) as url:
        yield url


@contextmanager
def hanging_receiver() -> Iterator[str]:
    """Accept connections and never answer; yield the receiver's URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/hook"


@dataclass
class Hanging:
    """A receiver that answers every webhook until it `hangs`."""

    url: str
    hangs: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiver_that_hangs() -> Iterator[Hanging]:
    """Accept connections, all in one thread, and answer until `hangs` is set."""
    stopping = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        receiver = Hanging(f"http://127.0.0.1:{listening.getsockname()[1]}/hook")
        serving = threading.Thread(target=_serve, args=(listening, receiver, stopping))
        serving.start()
        try:
            yield receiver
        finally:
            stopping.set()
            serving.join()


def _serve(listening: socket.socket, receiver: Hanging, stopping: threading.Event) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(listening, selectors.EVENT_READ)
        while not stopping.is_set():
            for key, _ in selector.select(timeout=0.5):
                if key.fileobj is listening:
                    selector.register(listening.accept()[0], selectors.EVENT_READ)
                else:
                    _read(key.fileobj, receiver, selector)  # type: ignore[arg-type]


def _read(connection: socket.socket, receiver: Hanging, selector: selectors.BaseSelector) -> None:
    """Answer the body of a request, or end a connection that the client has closed."""
    received = connection.recv(65536)
    is_over = not received
    if received.endswith(b"}") and not receiver.hangs.is_set():
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        is_over = True
    if is_over:
        selector.unregister(connection)
        connection.close()
