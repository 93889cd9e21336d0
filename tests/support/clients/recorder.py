"""A server that notes what clients send, and answers as a test wants."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """A request: its path, its headers by names in small letters, and its records."""

    path: str
    headers: Mapping[str, str]
    records: list[dict[str, Any]]


@dataclass(frozen=True)
class Reply:
    """An answer; `cut` breaks the connection off instead, `closes` does so afterwards."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    closes: bool = False


Answers = Callable[[Received], Reply | None]


def accepting(received: Received) -> Reply:
    """Accept every record."""
    results = [{"index": i, "status": "accepted"} for i in range(len(received.records))]
    return Reply(body={"accepted": len(results), "rejected": 0, "results": results})


class Recorder:
    """The server. `answers` decides; where it returns None, everything is accepted."""

    def __init__(self, answers: Answers | None = None, port: int = 0) -> None:
        self.answers = answers
        self.requests: list[Received] = []
        self.accepted: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), self._handler())
        self.port: int = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def accepted_ids(self) -> list[str]:
        """The ids of the accepted events, as often as they were accepted."""
        with self._lock:
            return [record["event_id"] for record in self.accepted if "event_id" in record]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, received: Received) -> Reply:
        with self._lock:
            self.requests.append(received)
        reply = self.answers(received) if self.answers else None
        reply = reply or accepting(received)
        if reply.status == 200 and not reply.cut and isinstance(reply.body, dict):
            with self._lock:
                self.accepted += [
                    record
                    for record, result in zip(
                        received.records, reply.body.get("results", []), strict=False
                    )
                    if result["status"] == "accepted"
                ]
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                if headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                [records] = json.loads(body).values()
                reply = recorder._answer(Received(self.path, headers, records))
                if reply.cut:
                    self.close_connection = True
                    return
                content = (
                    reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                )
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = self.close_connection or reply.closes

            def log_message(self, *arguments: object) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be silent about clients that were killed."""


@contextmanager
def recording(answers: Answers | None = None, port: int = 0) -> Iterator[Recorder]:
    """Run a recorder."""
    recorder = Recorder(answers, port)
    try:
        yield recorder
    finally:
        recorder.close()
