"""The traffic of benchmarks is valid, varied, and reproducible."""

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import orjson

from bench.load.traffic import EVENT_KEYS, Traffic
from bench.product.history import RULES
from ingress.event.schema import validate_event
from rules.file.rule_file import check_rules

TRAFFIC = Traffic(("key-1", "key-2", "key-3"), companies=2_000)


def bodies(traffic: Traffic, number: int = 2_000) -> list[dict[str, Any]]:
    return [orjson.loads(r.data.split(b"\r\n\r\n", 1)[1]) for r in traffic.requests(number, 1)]


def test_the_ingress_accepts_every_event() -> None:
    for body in bodies(TRAFFIC):
        assert validate_event(body, datetime.now(UTC)).event_key in EVENT_KEYS


def test_the_rules_have_every_event_key() -> None:
    book = check_rules(RULES).book
    assert book is not None
    assert set(EVENT_KEYS) < book.events.keys()


def test_events_are_of_realistic_size() -> None:
    sizes = [len(orjson.dumps(body)) for body in bodies(TRAFFIC)]
    assert 400 <= sum(sizes) / len(sizes) <= 700


def test_few_companies_cause_most_of_the_traffic() -> None:
    posted = Counter(body["company"]["id"] for body in bodies(TRAFFIC, 10_000))
    assert len(posted) > 1_000
    assert sum(number for _, number in posted.most_common(100)) > 5_000


def test_a_request_has_its_length_and_the_key_of_its_organization() -> None:
    for request in TRAFFIC.requests(100, 1):
        head, body = request.data.split(b"\r\n\r\n", 1)
        assert re.search(rb"Content-Length: (\d+)", head)[1] == str(len(body)).encode()
        assert TRAFFIC.keys[request.organization].encode() in head


def test_a_batch_has_its_number_of_events() -> None:
    traffic = Traffic(("key",), batch=100)
    assert all(len(body["events"]) == 100 for body in bodies(traffic, 3))


def test_the_same_seed_makes_the_same_companies() -> None:
    first, second = (Counter(b["company"]["id"] for b in bodies(TRAFFIC)) for _ in range(2))
    assert first == second
