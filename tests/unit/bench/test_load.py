"""The load generator counts responses."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.load.clients import run_clients
from bench.load.generator import Offer
from bench.load.traffic import Traffic

BODY = b'{"accepted": 99}'


@pytest.fixture
def server() -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(429 if self.headers["x-api-key"] == "refused" else 200)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        listening.block_on_close = False
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield listening.server_port
        listening.shutdown()


def test_every_response_is_counted_once(server: int) -> None:
    offer = Offer(server, Traffic(("taken", "refused")), connections=3, requests=400)
    outcome = run_clients(offer)
    assert outcome.answers.total() == len(outcome.latencies_ms) == 400
    assert outcome.accepted == {0: outcome.answers[200]}
    assert outcome.answers[429] > 50


def test_accepted_events_of_a_batch_are_counted(server: int) -> None:
    offer = Offer(server, Traffic(("taken",), batch=100), connections=1, requests=4)
    assert run_clients(offer).accepted == {0: 4 * 99}


def test_paused_clients_send_nothing(server: int) -> None:
    offer = Offer(server, Traffic(("taken",)), connections=1, seconds=0.3)
    free = run_clients(offer).answers.total()
    paused = run_clients(
        offer, on_tick=lambda clients: clients.set_paused(paused=True)
    ).answers.total()
    assert paused < free / 2


def test_a_rate_is_not_exceeded(server: int) -> None:
    offer = Offer(server, Traffic(("taken",)), seconds=0.5, per_second=100.0)
    assert 0 < run_clients(offer).answers.total() <= 51  # a machine under load may send fewer
