"""Webhook receivers on loopback: one that answers at once, and one that never does."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
