"""Each thread has its own connection to Redis."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import redis
from redis.exceptions import NoScriptError, ResponseError

from config.settings import Settings
from queues import thread_connection
from queues.broker import CLIENT_TIMEOUT, build_broker
from queues.thread_connection import CHECK_AFTER_SECONDS, ThreadConnection


@pytest.fixture
def wire(settings: Settings) -> Iterator[ThreadConnection]:
    broker = build_broker(settings.redis_url, timeout=CLIENT_TIMEOUT)
    yield ThreadConnection(broker.client.connection_pool)
    broker.client.close()


@pytest.fixture
def other(settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.redis_url) as client:
        yield client


def close_other_connections(client: redis.Redis) -> None:
    own_id = client.client_id()
    for connection in client.client_list():
        if int(connection["id"]) != own_id:
            client.client_kill_filter(_id=connection["id"])


def test_a_command_is_answered(wire: ThreadConnection) -> None:
    assert wire.call("SET", "é", b"\xff") == b"OK"
    assert wire.call("GET", "é") == b"\xff"
    assert wire.call("INCRBY", "n", 7) == 7


def test_an_error_of_redis_is_raised_and_the_next_command_is_answered(
    wire: ThreadConnection,
) -> None:
    with pytest.raises(ResponseError):
        wire.call("INCR")
    with pytest.raises(NoScriptError):
        wire.call("EVALSHA", "0" * 40, 0)
    assert wire.call("PING") == b"PONG"


def test_an_idle_connection_that_was_closed_is_replaced_without_an_error(
    wire: ThreadConnection, other: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(thread_connection, "time", SimpleNamespace(monotonic=lambda: now))
    wire.call("PING")
    close_other_connections(other)
    now += CHECK_AFTER_SECONDS + 0.1
    assert wire.call("PING") == b"PONG"


def test_a_recently_used_connection_that_was_closed_costs_one_error(
    wire: ThreadConnection, other: redis.Redis
) -> None:
    wire.call("PING")
    close_other_connections(other)
    with pytest.raises(redis.ConnectionError):
        wire.call("PING")
    assert wire.call("PING") == b"PONG"


def test_a_late_reply_is_never_taken_for_another(
    wire: ThreadConnection, other: redis.Redis
) -> None:
    other.set("n", "late")
    wire.call("PING")
    other.client_pause(600)
    with pytest.raises(redis.TimeoutError):
        wire.call("GET", "n")
    other.client_unpause()
    assert wire.call("PING") == b"PONG"


def test_each_thread_has_a_connection_that_is_closed_when_it_ends(
    wire: ThreadConnection, other: redis.Redis
) -> None:
    before = len(other.client_list())
    together = threading.Barrier(4)
    seen: list[int] = []

    def work() -> None:
        wire.call("PING")
        together.wait(10)
        seen.append(len(other.client_list()))
        together.wait(10)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert max(seen) >= before + 4
    for _ in range(100):
        remaining = len(other.client_list())
        if remaining <= max(before, max(seen) - 4):
            break
        threading.Event().wait(0.02)
    assert remaining <= max(before, max(seen) - 4)
