"""PostgreSQL and Redis servers that are unreachable, silent or slow."""

import io
import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from werkzeug.test import TestResponse

from config.settings import Settings
from models.database import connect, database
from tests.support.ingress.application import Ingress


def move_postgres(settings: Settings, database_url: str) -> None:
    """Make the application connect to PostgreSQL at another URL."""
    database.obj.close_all()
    connect(replace(settings, database_url=database_url), answer_within_ms=400)


@dataclass(frozen=True)
class Silent:
    """An address where connections are accepted and never answered."""

    url: str
    listener: socket.socket

    def connections(self) -> int:
        """Return the number of connections since the last call."""
        self.listener.setblocking(False)
        for count in itertools.count():
            try:
                self.listener.accept()[0].close()
            except BlockingIOError:
                return count
        raise AssertionError("unreachable")


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


def chunked(ingress: Ingress, body: io.BytesIO, key: str) -> TestResponse:
    """Send a chunked request as servers pass it on: without a length, in a stream that ends."""
    with ingress.app.test_client() as client:
        return client.post(
            "/v1/track",
            input_stream=body,
            headers={"x-api-key": key, "Transfer-Encoding": "chunked"},
            content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},
        )


TOO_LARGE = {
    "error": "Request body too large",
    "details": [{"message": "An event is at most 32 KB"}],
}
