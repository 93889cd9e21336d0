import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from brazebee_client import Client, Refusal
from brazebee_client.sending.answers import Later, decide, pace
from brazebee_client.sending.transport import Answer

from tests.support.clients.fast_clock import FastClock
from tests.support.clients.recorder import Received, Recorder, Reply, accepting
from tests.support.ports import free_port
from tests.support.product.brazebee_process import eventually

ACME = {"id": "acme", "name": "Acme"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)

NewClient = Callable[..., Client]


def first(reply: Reply, times: int = 1) -> Callable[[Received], Reply | None]:
    """Answer the first requests in another way than the others."""
    left = iter(range(times))
    return lambda _: None if next(left, None) is None else reply


def track(client: Client, number: int) -> list[str]:
    return [client.track("login", company=ACME, data={"n": n}) for n in range(number)]


def test_a_thousand_events_are_sent_in_order_in_full_compressed_batches(
    client: Client, recorder: Recorder
) -> None:
    ids = track(client, 1_000)
    assert client.flush(60)
    assert recorder.accepted_ids == ids
    assert max(len(request.records) for request in recorder.requests) == 100
    assert len(recorder.requests) < 30
    assert {r.headers.get("content-encoding") for r in recorder.requests if len(r.records) > 9} == {
        "gzip"
    }


def test_batches_stay_below_a_megabyte(client: Client, recorder: Recorder) -> None:
    for _ in range(100):
        client.track("login", company=ACME, data={"text": "x" * 30_000})
    assert client.flush(60)
    assert len(recorder.accepted_ids) == 100
    assert max(len(request.records) for request in recorder.requests) <= 32


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503, {"error": "Service temporarily unavailable"}),
        Reply(500, b"oops"),
        Reply(429, {"error": "Rate limit exceeded"}, {"Retry-After": "0"}),
        Reply(408, {"error": "The body was not complete after 15 seconds"}),
        Reply(200, b"<html>a captive portal</html>"),
        Reply(200, {"results": []}),
        Reply(cut=True),
    ],
    ids=lambda reply: "cut" if reply.cut else f"{reply.status} {str(reply.body)[:20]}",
)
def test_events_are_sent_again_after_a_failure(
    new_client: NewClient, recorder: Recorder, reply: Reply
) -> None:
    recorder.answers = first(reply, times=3)
    client = new_client(_clock=FastClock())
    ids = track(client, 3)
    assert client.flush(20_000)
    assert recorder.accepted_ids == ids
    assert client.statistics.sent == 3
    assert client.statistics.waiting_for is None


def test_an_answer_that_does_not_come_in_time_is_a_failure(
    new_client: NewClient, recorder: Recorder
) -> None:
    release = threading.Event()
    hangs = first(Reply(503, {}), times=1)

    def answers(received: Received) -> Reply | None:
        reply = hangs(received)
        if reply:
            release.wait(10)
        return reply

    recorder.answers = answers
    client = new_client(request_timeout=0.3, _clock=FastClock())
    ids = track(client, 2)
    assert client.flush(20_000)
    release.set()
    assert recorder.accepted_ids == ids


def test_a_call_does_not_wait_for_a_server_that_hangs(new_client: NewClient) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:  # accepts, never answers
        client = new_client(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        track(client, 200)
        assert not client.flush(0.05)
        assert client.statistics.recorded == 200


@pytest.fixture
def hour_without_a_server(spool: Path) -> Iterator[tuple[Client, int]]:
    port = free_port()
    clock = FastClock()
    client = Client(f"http://127.0.0.1:{port}", "k", spool_dir=spool, _clock=clock)
    track(client, 250)
    eventually(lambda: clock.seconds >= 3_600)
    yield client, port
    client.close()


def test_an_hour_without_the_server_loses_nothing_and_asks_ever_less_often(
    hour_without_a_server: tuple[Client, int],
) -> None:
    client, port = hour_without_a_server
    attempts = client.statistics.failed_attempts
    assert 3_600 / 60 <= attempts <= 150  # a minute apart at most, half of it at least
    track(client, 50)
    with closing(Recorder(port=port)) as recorder:
        assert client.flush(20_000)
        assert len(set(recorder.accepted_ids)) == len(recorder.accepted_ids) == 300


def test_a_retry_after_is_heeded_even_by_a_flush(new_client: NewClient, recorder: Recorder) -> None:
    recorder.answers = first(Reply(429, {"error": "Rate limit exceeded"}, {"Retry-After": "900"}))
    clock = FastClock()
    client = new_client(_clock=clock)
    ids = track(client, 1)
    eventually(lambda: recorder.requests)
    assert client.flush(20_000)
    assert clock.seconds >= 900
    assert len(recorder.requests) == 2
    assert recorder.accepted_ids == ids


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0), ("0.5", 0.5), ("-3", 0.0), ("999999", 3600.0), ("soon", None), ("nan", None),
        (format_datetime(NOW + timedelta(minutes=2)), 120.0),
    ],
)  # fmt: skip
def test_a_retry_after_is_seconds_or_an_instant(value: str, seconds: float | None) -> None:
    answer = Answer(503, {"retry-after": value}, b'{"error": "Wait"}')
    assert decide(b"e", 1, answer, NOW) == Later("503 Wait", seconds)


@pytest.mark.parametrize(
    ("remaining", "seconds"), [("9000", 1.6), ("100", 30.0), ("0", 30.0), ("", 0.0)]
)
def test_requests_are_spread_over_what_is_left_of_the_rate_limit(
    remaining: str, seconds: float
) -> None:
    reset = str(int(NOW.timestamp()) + 3_600)
    headers = {"X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset}
    assert pace(Answer(200, headers, b""), NOW) == pytest.approx(seconds)


def refusing_odd(received: Received) -> Reply:
    results: list[dict[str, Any]] = [
        {"index": i, "status": "accepted"}
        if record["data"]["n"] % 2 == 0
        else {"index": i, "status": "rejected", "error": "Event setting not found for key: login"}
        for i, record in enumerate(received.records)
    ]
    return Reply(body={"results": results})


def test_events_that_are_refused_are_kept_with_their_reason_and_not_sent_again(
    new_client: NewClient, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.answers = refusing_odd
    heard: list[Refusal] = []
    client = new_client(on_refused=heard.append)
    ids = track(client, 10)
    assert client.flush(60)
    assert recorder.accepted_ids == ids[::2]
    assert [refusal.body["event_id"] for refusal in client.refused()] == ids[1::2]
    assert heard == client.refused()
    assert heard[0].error == "Event setting not found for key: login"
    assert (heard[0].kind, heard[0].status) == ("event", 400)
    assert [r.levelname for r in caplog.records if "Refused for good" in r.message] == ["WARNING"]
    recorder.answers = None  # its rules list the event now
    assert client.retry_refused() == 5
    assert client.flush(60)
    assert sorted(recorder.accepted_ids) == sorted(ids)
    assert client.refused() == []


def test_a_fault_in_on_refused_does_not_stop_the_sending(
    new_client: NewClient, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.answers = refusing_odd

    def fails(refusal: Refusal) -> None:
        raise RuntimeError(refusal.error)

    client = new_client(on_refused=fails)
    track(client, 4)
    assert client.flush(60)
    assert client.statistics.refused == 2
    assert "on_refused failed" in caplog.text


@pytest.mark.parametrize("status", [400, 413])
def test_a_batch_that_is_refused_as_a_whole_is_split_until_the_cause_is_alone(
    client: Client, recorder: Recorder, status: int
) -> None:
    def answers(received: Received) -> Reply:
        if any(record["data"]["n"] == 37 for record in received.records):
            return Reply(status, {"error": "No", "details": [{"message": "37"}]})
        return accepting(received)

    recorder.answers = answers
    ids = track(client, 64)
    assert client.flush(60)
    assert sorted(recorder.accepted_ids) == sorted(ids[:37] + ids[38:])
    [refusal] = client.refused()
    assert (refusal.body["event_id"], refusal.status) == (ids[37], status)


@pytest.mark.parametrize(
    ("reply", "cure"),
    [
        (Reply(401, {"error": "Invalid API key"}), "401 Invalid API key: check the API key"),
        (Reply(403, {"error": "API key lacks the scope: send"}), "check the API key"),
        (Reply(404, b"<html>nothing here</html>"), "something else than Brazebee"),
        (Reply(400, b"<html>a proxy</html>"), "something else than Brazebee"),
        (Reply(301, b"", {"Location": "https://elsewhere.example.com/"}), "check the address"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Reply) else "",
)
def test_what_somebody_has_to_mend_pauses_the_sending_and_loses_nothing(
    new_client: NewClient,
    recorder: Recorder,
    caplog: pytest.LogCaptureFixture,
    reply: Reply,
    cure: str,
) -> None:
    recorder.answers = lambda _: reply
    client = new_client()
    ids = track(client, 5)
    assert not client.flush(0.2)
    assert cure in str(client.statistics.waiting_for)
    assert len(recorder.requests) <= 3
    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 1
    assert cure in caplog.text
    client.close()
    recorder.answers = None  # the next process has another key
    successor = new_client()
    successor.track("login", company=ACME)
    assert successor.flush(60)
    eventually(lambda: set(ids) <= set(recorder.accepted_ids))
    assert client.refused() == []


def test_updates_are_set_aside_by_a_server_that_does_not_know_them(
    client: Client, recorder: Recorder
) -> None:
    unknown = Reply(404, {"error": "Not found"})
    recorder.answers = lambda received: None if "track" in received.path else unknown
    client.identify({"id": "ada"})
    ids = track(client, 1)
    assert client.flush(60)
    assert recorder.accepted_ids == ids
    assert "older than this client" in client.refused()[0].error
    recorder.answers = None
    assert client.retry_refused() == 1
    assert client.flush(60)


def test_a_connection_that_the_server_closed_meanwhile_is_no_failure(
    client: Client, recorder: Recorder
) -> None:
    recorder.answers = lambda received: replace(accepting(received), closes=True)
    for _ in range(3):
        track(client, 1)
        assert client.flush(60)
    assert client.statistics.failed_attempts == 0
