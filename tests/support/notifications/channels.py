"""Stubs of Slack and Teams on loopback, which enforce the documented limits of both."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECOND_BETWEEN_MESSAGES = 0.95


class Channel:
    """A channel that keeps what it accepts, and answers what is wrong with the rest.

    While `answers_at_once` is cleared, it keeps each request open.
    """

    def __init__(self, service: str, url: str) -> None:
        self.service = service
        self.url = url
        self.messages: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.answers: queue.Queue[tuple[int, str, dict[str, str]]] = queue.Queue()
        self.answers_at_once = threading.Event()
        self.answers_at_once.set()
        self._last = 0.0

    def answer(self, status: int, text: str = "", **headers: str) -> None:
        """Answer the next request like this."""
        self.answers.put((status, text, {k.replace("_", "-"): v for k, v in headers.items()}))

    def take(self, body: bytes) -> tuple[int, str, dict[str, str]]:
        if not self.answers.empty():
            return self.answers.get()
        if time.monotonic() - self._last < SECOND_BETWEEN_MESSAGES:
            self.refused.append("rate_limited")
            return 429, "rate_limited", {"Retry-After": "1"}
        self._last = time.monotonic()
        message = json.loads(body)
        try:
            check_slack(message) if self.service == "slack" else check_teams(message, len(body))
        except (AssertionError, ValueError) as error:
            self.refused.append(str(error))
            return 400, f"invalid_blocks: {error}", {}
        self.messages.append(message)
        return (200, "ok", {}) if self.service == "slack" else (202, "", {})


def check_slack(message: dict[str, Any]) -> None:
    """Check a message by the models of Slack's SDK and the documented limits."""
    from slack_sdk.models.blocks import Block  # noqa: PLC0415 -- slow, and few tests need it

    assert set(message) <= {"text", "blocks", "unfurl_links", "unfurl_media"}
    assert 1 <= len(message["blocks"]) <= 50
    for block in Block.parse_all(message["blocks"]):
        assert block is not None
        block.validate_json()
    texts = [text for block in message["blocks"] for text in _texts(block)]
    assert all(0 < len(text) <= 3_000 for text in texts)
    assert sum(map(len, texts)) <= 13_000


def _texts(block: dict[str, Any]) -> Iterator[str]:
    if block["type"] == "header":
        assert len(block["text"]["text"]) <= 150
    for element in [block.get("text"), *block.get("elements", [])]:
        if element is not None:
            yield element["text"]


def check_teams(message: dict[str, Any], size: int) -> None:
    """Check a message by Microsoft's models of cards and the documented limit."""
    from microsoft_teams.cards import AdaptiveCard  # noqa: PLC0415 -- slow, and few tests need it

    assert size <= 28 * 1024
    [attachment] = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    AdaptiveCard.model_validate(attachment["content"])


@contextmanager
def channel(service: str) -> Iterator[Channel]:
    """Serve a channel."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, text, headers = served.take(body)
            served.answers_at_once.wait(60)
            with suppress(ConnectionError):  # the sender was killed meanwhile
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Channel(service, f"http://127.0.0.1:{server.server_port}/services/T0/B0/secret")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield served
    served.answers_at_once.set()
    server.shutdown()
    server.server_close()
