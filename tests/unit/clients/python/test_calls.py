import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from brazebee_client import Client, InvalidCall, InvalidConfiguration

from tests.support.clients.recorder import Recorder

ACME = {"id": "acme", "name": "Acme"}


class Plan(Enum):
    PRO = "pro"


@pytest.fixture
def sent(client: Client, recorder: Recorder) -> Callable[[], list[dict[str, Any]]]:
    def flushed() -> list[dict[str, Any]]:
        assert client.flush(60)
        return recorder.accepted

    return flushed


def test_an_event_is_sent_in_the_words_of_the_api(
    client: Client, recorder: Recorder, sent: Callable[[], list[dict[str, Any]]]
) -> None:
    before = datetime.now(UTC)
    event_id = client.track("login", company=ACME, user={"id": "ada"}, data={"from": "web"})
    [event] = sent()
    assert event_id == event.pop("event_id")
    assert UUID(event_id).version == 7
    assert before <= datetime.fromisoformat(event.pop("timestamp")) <= datetime.now(UTC)
    assert event == {
        "event_key": "login", "company": ACME, "user": {"id": "ada"}, "data": {"from": "web"},
    }  # fmt: skip
    [request] = recorder.requests
    assert request.path == "/v1/track/batch"
    assert request.headers["x-api-key"] == "bzb_key"


def test_ones_own_id_and_time_are_kept(client: Client, sent: Callable[[], Any]) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    assert client.track("login", company=ACME, timestamp=at, event_id="order-1") == "order-1"
    [event] = sent()
    assert event["timestamp"] == "2026-01-02T02:04:05.000000+00:00"
    assert event["event_id"] == "order-1"


def test_updates_of_companies_and_users_are_sent_to_their_endpoints(
    client: Client, recorder: Recorder, sent: Callable[[], Any]
) -> None:
    client.identify({"id": 7, "role": "admin"})
    client.identify({"id": 8}, {"id": "acme"})
    client.group({"id": "acme", "plan": "pro"})
    client.group({"id": "acme", "plan": "pro"}, {"id": 9})
    sent()
    by_path: dict[str, list[dict[str, Any]]] = {}
    for request in recorder.requests:
        for record in request.records:
            assert record.pop("timestamp")
        by_path.setdefault(request.path, []).extend(request.records)
    assert by_path == {
        "/v1/users/batch": [
            {"user": {"id": "7", "role": "admin"}},
            {"user": {"id": "8"}, "company": {"id": "acme"}},
            {"user": {"id": "9"}, "company": {"id": "acme"}},
        ],
        "/v1/companies/batch": [{"company": {"id": "acme", "plan": "pro"}}] * 2,
    }


def test_an_event_is_as_it_was_at_the_call(client: Client, sent: Callable[[], Any]) -> None:
    company = {**ACME, "plan": "free"}
    client.track("login", company=company)
    company["plan"] = "pro"
    assert sent()[0]["company"]["plan"] == "free"


def test_common_types_are_written_as_json_has_them(client: Client, sent: Callable[[], Any]) -> None:
    values = {
        "decimal": Decimal("9.50"), "day": date(2026, 1, 2), "plan": Plan.PRO, "tags": ("a", "b"),
        "id": UUID(int=1), "set": {1}, "nested": {"deep": [None, True, 1.5, "ü\n"]},
    }  # fmt: skip
    client.track("login", company=ACME, data=values)
    assert sent()[0]["data"] == {
        "decimal": 9.5, "day": "2026-01-02", "plan": "pro", "tags": ["a", "b"],
        "id": str(UUID(int=1)), "set": [1], "nested": {"deep": [None, True, 1.5, "ü\n"]},
    }  # fmt: skip


def contains_itself() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["itself"] = value
    return value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"company": {"name": "Acme"}}, r"company\['id'\] is missing"),
        ({"company": {"id": "", "name": "Acme"}}, r"company\['id'\] is missing"),
        ({"company": {"id": True, "name": "Acme"}}, r"company\['id'\] is missing"),
        ({"company": {"id": "acme"}}, r"company\['name'\] is missing"),
        ({"company": "acme"}, "company must be a mapping"),
        ({"company": None}, "company must be a mapping"),
        ({"company": ACME, "user": {"email": "a@b.c"}}, r"user\['id'\] is missing"),
        ({"company": ACME, "data": ["a"]}, "data must be a mapping"),
        ({"company": ACME, "data": {"a": [object()]}}, r"data\['a'\]\[0\] is a value of type obj"),
        ({"company": ACME, "data": {"a": float("nan")}}, r"data\['a'\] is nan"),
        ({"company": ACME, "data": {1: "a"}}, "data has the key 1"),
        ({"company": ACME, "data": {"a": "\ud800"}}, "half of a surrogate pair"),
        ({"company": ACME, "data": contains_itself()}, "contains itself"),
        ({"company": ACME, "timestamp": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001
        ({"company": ACME, "event_id": ""}, "event_id must be a text"),
        ({"company": ACME, "event_key": None}, "event_key must be a text"),
    ],
)
def test_a_mistake_in_the_program_is_raised_at_the_call(
    client: Client, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidCall, match=message):
        client.track(**({"event_key": "login"} | arguments))
    assert client.statistics.recorded == 0


def test_updates_need_their_ids(client: Client) -> None:
    with pytest.raises(InvalidCall, match="user"):
        client.identify(None)  # type: ignore[arg-type]
    with pytest.raises(InvalidCall, match="company"):
        client.group(None, {"id": "ada"})  # type: ignore[arg-type]


def test_an_event_that_is_too_large_is_refused_at_once_and_holds_up_nothing(
    client: Client, caplog: pytest.LogCaptureFixture, sent: Callable[[], Any]
) -> None:
    client.track("login", company=ACME, data={"text": "x" * 40_000})
    client.track("login", company=ACME)
    assert len(sent()) == 1
    [refusal] = client.refused()
    assert refusal.error == "An event is at most 32 KB"
    assert len(refusal.body["data"]["text"]) == 40_000
    assert "Refused for good" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": None}, "Pass url or set BRAZEBEE_URL"),
        ({"api_key": None}, "Pass api_key or set BRAZEBEE_API_KEY"),
        ({"url": "localhost:8000"}, "is no address of Brazebee"),
        ({"url": "ftp://localhost"}, "is no address of Brazebee"),
        ({"url": "http://localhost:99999"}, "is no address of Brazebee"),
        ({"api_key": "bzb_ü"}, "characters that no key has"),
        ({"sync": "sometimes"}, "sync is one of"),
        ({"max_spool_bytes": 10}, "max_spool_bytes is at least"),
        ({"flush_interval": 0}, "positive seconds"),
    ],
)
def test_a_configuration_without_a_meaning_is_raised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    for name in ("BRAZEBEE_URL", "BRAZEBEE_API_KEY", "BRAZEBEE_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    arguments = {"url": "http://127.0.0.1:1/v1/", "api_key": "k", "spool_dir": tmp_path} | options
    with pytest.raises(InvalidConfiguration, match=message):
        Client(**arguments)


def test_the_environment_configures_a_client(
    monkeypatch: pytest.MonkeyPatch, recorder: Recorder, spool: Path
) -> None:
    monkeypatch.setenv("BRAZEBEE_URL", f"{recorder.url}/v1")
    monkeypatch.setenv("BRAZEBEE_API_KEY", "bzb_other")
    monkeypatch.setenv("BRAZEBEE_SPOOL_DIR", str(spool))
    client = Client()
    client.track("login", company=ACME)
    assert client.close()
    assert recorder.requests[0].headers["x-api-key"] == "bzb_other"


def test_a_key_of_another_organization_has_another_spool_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("BRAZEBEE_SPOOL_DIR", raising=False)
    urls, keys = ("http://127.0.0.1:1", "http://127.0.0.1:2"), ("a", "b")
    clients = [Client(url, key) for url in urls for key in keys]
    for client in clients:
        client.track("login", company=ACME)
        client.close(timeout=0)
    spools = list((tmp_path / "brazebee-client").iterdir())
    assert len(spools) == 4
    assert not any(key in json.dumps([str(s) for s in spools]) for key in ('"a"', '"b"'))


def test_a_disabled_client_checks_calls_and_does_nothing(tmp_path: Path) -> None:
    client = Client(disabled=True, spool_dir=tmp_path / "spool")
    assert client.track("login", company=ACME)
    client.identify({"id": "ada"})
    with pytest.raises(InvalidCall):
        client.track("login", company={"id": "acme"})
    assert client.flush()
    assert client.close()
    assert client.refused() == []
    assert list(tmp_path.iterdir()) == []


def test_the_log_has_neither_contents_nor_keys(
    client: Client, caplog: pytest.LogCaptureFixture, sent: Callable[[], Any]
) -> None:
    caplog.set_level(logging.DEBUG, "brazebee_client")
    client.track("login", company={**ACME, "note": "secret thing"})
    sent()
    assert "/v1/track/batch with 1 records: 200" in caplog.text
    assert "secret thing" not in caplog.text
    assert "bzb_key" not in caplog.text
