"""A real receiver of webhooks."""

import json
import queue
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


class Receiver:
    """A webhook endpoint on loopback that records requests and returns chosen statuses."""

    def __init__(self) -> None:
        self.received: queue.Queue[tuple[float, dict[str, str], bytes]] = queue.Queue()
        self.answers: queue.Queue[int] = queue.Queue()
        self.takes_seconds = 0.0
        self.choose: Callable[[dict[str, Any]], int] | None = None  # a status for each payload
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.put((time.time(), dict(self.headers.items()), body))
                time.sleep(outer.takes_seconds)
                self.send_response(outer.status(body))
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def status(self, body: bytes) -> int:
        if self.choose is not None:
            return self.choose(json.loads(body))
        return 204 if self.answers.empty() else self.answers.get()

    def next(self, secret: str, seconds: float = 30.0) -> tuple[float, dict[str, Any]]:
        """Return when the next webhook arrived, and its payload after verifying the signature."""
        at, headers, body = self.received.get(timeout=seconds)
        payload: dict[str, Any] = Webhook(secret).verify(body, headers)
        assert payload["id"] == headers["webhook-id"]
        return at, payload

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
