"""A WSGI application on an event loop gets whole requests, and its response is sent whole."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.proxy_fix import ProxyFix

from serving import in_threads as module
from serving.in_threads import InThreads
from serving.scopes import client_address
from tests.support.ingress.granian import FakeExchange, FakeHeaders, FakeScope
from tests.support.ingress.loop_thread import LoopThread

LARGEST = 100


def respond(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["wsgi.input"].read()]


def exchanged(
    app: Callable[..., Iterable[bytes]], *exchanges: FakeExchange, scope: FakeScope | None = None
) -> None:
    """Pass requests to an application at the same time."""
    threaded = InThreads(app, threads=2, largest_body=LARGEST)

    async def exchange_all() -> None:
        await asyncio.gather(
            *(threaded.__rsgi__(scope or posted(exchange), exchange) for exchange in exchanges)
        )

    run(exchange_all())
    threaded.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    with closing(LoopThread()) as loop:
        loop.run(work)


def posted(exchange: FakeExchange, *headers: tuple[str, str], path: str = "/") -> FakeScope:
    length = ("content-length", str(sum(map(len, exchange.parts))))
    return FakeScope("POST", path, FakeHeaders([length, *headers]))


def environ_of(scope: FakeScope) -> dict[str, Any]:
    return module.environ(scope, b"")


def test_a_request_and_its_response_are_passed_on() -> None:
    exchange = FakeExchange([b"one", b"two"])
    exchanged(respond, exchange)
    assert (exchange.status, exchange.body) == (200, b"onetwo")
    assert exchange.headers == {"content-type": "text/plain"}


def test_the_path_and_other_parts_are_kept() -> None:
    scope = FakeScope(
        "GET", "/café%2F", FakeHeaders([("host", "x"), ("accept", "a"), ("accept", "b")])
    )
    scope.query_string = "a=%20"
    environ = environ_of(scope)
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/café%2F"
    assert (environ["QUERY_STRING"], environ["HTTP_ACCEPT"]) == ("a=%20", "a,b")
    assert (environ["REMOTE_ADDR"], environ["SERVER_PORT"]) == ("127.0.0.1", "8000")


def test_a_header_with_an_underscore_is_left_out() -> None:
    """It would replace what a trusted proxy sets."""
    forged = [("x_forwarded_for", "6.6.6.6"), ("content_length", "5"), ("x-a", "1"), ("x_a", "2")]
    environ = environ_of(FakeScope("GET", "/", FakeHeaders(forged)))
    assert "HTTP_X_FORWARDED_FOR" not in environ
    assert "CONTENT_LENGTH" not in environ
    assert environ["HTTP_X_A"] == "1"


@given(
    st.lists(st.sampled_from(["1.1.1.1", "2.2.2.2, 3.3.3.3", "", " 4.4.4.4 ", "::1"]), max_size=3),
    st.integers(0, 4),
)
def test_the_address_of_the_client_is_that_of_proxy_fix(sent: list[str], proxies: int) -> None:
    scope = FakeScope("GET", "/", FakeHeaders([("x-forwarded-for", value) for value in sent]))
    seen: list[str] = []

    def note(environ: Any, _start: Any) -> Iterable[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        return []

    list(ProxyFix(note, x_for=proxies)(environ_of(scope), lambda *_: lambda _: None))
    assert client_address(scope, proxies) == seen[0]


def test_a_body_that_is_too_large_is_not_read() -> None:
    class Unread(FakeExchange):
        async def __call__(self) -> bytes:
            pytest.fail("it was read")

    exchange = Unread([b"x" * (LARGEST + 1)])
    exchanged(respond, exchange)
    assert exchange.body == b"", "the application sees the length, and refuses it"


def test_a_chunked_body_that_is_too_large_is_read_no_further() -> None:
    exchange = FakeExchange([b"x" * 60] * 10)
    scope = FakeScope("POST", "/", FakeHeaders([("transfer-encoding", "chunked")]))
    exchanged(respond, exchange, scope=scope)
    assert len(exchange.body) == 120


def test_a_large_response_is_complete_before_it_is_sent_and_its_application_is_closed() -> None:
    closed = threading.Event()

    class Parts:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"x" * 700_000] * 4)

        def close(self) -> None:
            closed.set()

    def many(_environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Parts()

    class SentLater(FakeExchange):
        async def send_bytes(self, part: bytes) -> None:
            assert closed.is_set()
            await super().send_bytes(part)

    exchange = SentLater([b""])
    exchanged(many, exchange)
    assert len(exchange.body) == 2_800_000


def test_slow_bodies_occupy_no_thread() -> None:
    slow = [FakeExchange([b"x"], slow=True) for _ in range(20)]
    quick = FakeExchange([b"quick"])
    threaded = InThreads(respond, threads=1, largest_body=LARGEST)

    async def exchange_all() -> None:
        waiting = [asyncio.create_task(threaded.__rsgi__(posted(each), each)) for each in slow]
        await asyncio.sleep(0)
        await asyncio.wait_for(threaded.__rsgi__(posted(quick), quick), 5)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    run(exchange_all())
    threaded.close()
    assert quick.body == b"quick"


def test_with_too_many_waiting_requests_further_ones_get_503(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    released = threading.Event()

    def wait(_environ: Any, start_response: Any) -> Iterable[bytes]:
        released.wait(5)
        start_response("200 OK", [])
        return []

    exchanges = [FakeExchange([b""]) for _ in range(5)]
    threading.Timer(0.2, released.set).start()
    exchanged(wait, *exchanges)
    assert sorted(exchange.status for exchange in exchanges) == [200, 200, 200, 503, 503]
    assert {exchange.headers.get("Retry-After") for exchange in exchanges} == {None, "1"}
