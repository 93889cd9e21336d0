"""Every answer that is described is really sent, and as it is described; so is every example."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis

from config.settings import Settings
from ingress.batch import LARGEST_BATCH
from ingress.client.gate import Gate
from models.keys.scopes import Scope
from serving import body as body_module
from serving import in_threads
from tests.support.ingress.application import NO_REDIS, NOWHERE, Serve, memory_used, tenant
from tests.support.ingress.described_ingress import DescribedIngress
from tests.support.ingress.description import (
    DESCRIPTION,
    SERVED,
    Operation,
    operations,
    sending,
    values,
)
from tests.support.ingress.granian import FakeExchange
from tests.support.ingress.outages import move_postgres

OPERATIONS = {str(operation): operation for operation in operations()}
TRACK, BATCH = OPERATIONS["POST /v1/track"], OPERATIONS["POST /v1/track/batch"]
PUT = OPERATIONS["PUT /v1/companies/{id}"]
LIVEZ, READYZ, METRICS = (OPERATIONS[f"GET /{name}"] for name in ("livez", "readyz", "metrics"))

COMPANY = {"id": "company_123", "name": "Acme Corp"}
TOO_LARGE = b" " * (LARGEST_BATCH + 1)

Cause = Callable[[DescribedIngress, Operation], FakeExchange]


def _limited(described: DescribedIngress, operation: Operation) -> FakeExchange:
    limited = replace(described, organization=tenant("Limited", rate_limit="1/hour"))
    limited.answer(operation, b"{")
    return limited.answer(operation)


CAUSES: dict[int, Cause] = {
    200: lambda described, operation: described.answer(operation),
    400: lambda described, operation: described.answer(operation, b"{"),
    401: lambda described, operation: described.answer(
        operation, without=("x-api-key", "Authorization")
    ),
    403: lambda described, operation: described.answer(
        operation, headers={"x-api-key": described.key(Scope.READ, Scope.MANAGE)}
    ),
    404: lambda described, operation: described.answer(
        operation, {"event_key": "logout", "company": COMPANY}, metrics_token=None
    ),
    408: lambda described, operation: described.answer(operation, b"{", exchange={"slow": True}),
    413: lambda described, operation: described.answer(operation, TOO_LARGE),
    415: lambda described, operation: described.answer(
        operation, headers={"Content-Type": "text/plain"}
    ),
    429: _limited,
    503: lambda described, operation: described.answer(operation, queue_url=NO_REDIS),
}
"""What makes an operation answer with each status; 500 and a queue of requests have own tests."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "BODY_SECONDS", 0.05)


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_options: Any) -> Iterator[None]:
        raise RuntimeError("a fault")

    monkeypatch.setattr(Gate, "admitting", fail)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_threads, "MOST_WAITING", 0)


@pytest.mark.parametrize("operation", sending(), ids=str)
def test_every_status_that_a_request_with_a_body_can_get_is_described(
    operation: Operation,
) -> None:
    only_of_one_event = set() if operation is TRACK else {404}
    assert set(operation.statuses) == {*CAUSES, 500} - only_of_one_event


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        pytest.param(operation, status, id=f"{operation} {status}")
        for operation in operations()
        for status in operation.statuses
        if status != 500 and (operation, status) not in [(LIVEZ, 503), (METRICS, 503)]
    ],
)
def test_every_described_status_is_sent(
    described: DescribedIngress, impatient: None, operation: Operation, status: int
) -> None:
    assert CAUSES[status](described, operation).status == status


@pytest.mark.parametrize("operation", sending(), ids=str)
def test_a_fault_is_answered_as_described(
    described: DescribedIngress, faulty: None, operation: Operation
) -> None:
    assert described.answer(operation).status == 500


@pytest.mark.parametrize("operation", [each for each in operations() if each is not TRACK], ids=str)
def test_while_too_many_requests_wait_the_answer_is_as_described(
    described: DescribedIngress, busy: None, operation: Operation
) -> None:
    assert described.answer(operation).status == 503


EXAMPLES: dict[str, Callable[[DescribedIngress], FakeExchange]] = {
    "invalidFields": lambda described: described.answer(
        TRACK,
        {"event_key": "login", "company": {"id": "c"}, "user": {"id": "u", "email": "john"}},
    ),
    "invalidHeader": lambda described: described.answer(
        TRACK, headers={"Idempotency-Key": "two words"}
    ),
    "repeatedKey": lambda described: described.answer(TRACK, b'{"company": {}, "company": {}}'),
    "nulCharacter": lambda described: described.answer(
        TRACK, {"event_key": "login", "company": COMPANY, "data": {"pages": ["a", "b\0"]}}
    ),
    "disabledEvent": lambda described: described.answer(
        TRACK, {"event_key": "export_created", "company": COMPANY}
    ),
    "incompleteBody": lambda described: described.answer(BATCH, exchange={"breaks_off": True}),
    "otherId": lambda described: described.answer(PUT, {"company": {"id": "other"}}),
    "emptyBatch": lambda described: described.answer(BATCH, {"events": []}),
    "noKey": lambda described: CAUSES[401](described, TRACK),
    "unknownKey": lambda described: described.answer(TRACK, headers={"x-api-key": "bzb_x"}),
    "missingScope": lambda described: described.answer(
        TRACK, headers={"x-api-key": described.key(Scope.READ)}
    ),
    "unknownEvent": lambda described: CAUSES[404](described, TRACK),
    "slowBody": lambda described: CAUSES[408](described, TRACK),
    "largeEvent": lambda described: CAUSES[413](described, TRACK),
    "largeBatch": lambda described: CAUSES[413](described, BATCH),
    "otherType": lambda described: CAUSES[415](described, TRACK),
    "otherEncoding": lambda described: described.answer(TRACK, headers={"Content-Encoding": "br"}),
    "limitExceeded": lambda described: _limited(described, TRACK),
    "withoutRedis": lambda described: CAUSES[503](described, TRACK),
    "alive": lambda described: described.answer(LIVEZ),
    "notReady": lambda described: CAUSES[503](described, READYZ),
    "metricsToken": lambda described: CAUSES[401](described, METRICS),
    "noMetrics": lambda described: CAUSES[404](described, METRICS),
}
"""What gets the answer of each example, unless it has a test of its own."""

VARYING = ("missingScope", "slowBody", "limitExceeded")
"""Examples with numbers that differ here."""

OF_THEIR_OWN = ("fault", "busy", "withoutPostgres", "fullQueue", "ready")


def error_examples() -> dict[str, Any]:
    """The examples of answers, by their names, except those to examples of requests."""
    found: dict[str, Any] = {}
    described = [*DESCRIPTION["components"]["responses"].values()]
    for operation in operations():
        described += [operation.response(status) for status in operation.statuses]
    for response in described:
        for media in response["content"].values():
            for name, value in values(media).items():
                assert found.setdefault(name, value) == value or name in request_examples()
    return {name: value for name, value in found.items() if name not in request_examples()}


def request_examples() -> set[str]:
    return {name for operation in operations() for name in operation.examples}


def assert_is_example(exchange: FakeExchange, name: str) -> None:
    answer, example = json.loads(exchange.body), error_examples()[name]
    if name in VARYING:
        answer, example = (json.loads(_zeros(json.dumps(each))) for each in (answer, example))
    assert answer == example


def _zeros(text: str) -> str:
    return re.sub(r"\d+(\.\d+)?", "0", text)


def test_every_example_of_an_answer_is_tried() -> None:
    assert {*EXAMPLES, *OF_THEIR_OWN} == set(error_examples())


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_is_really_answered(
    described: DescribedIngress, impatient: None, name: str
) -> None:
    assert_is_example(EXAMPLES[name](described), name)


def test_the_example_of_a_fault_is_what_is_really_answered(
    described: DescribedIngress, faulty: None
) -> None:
    assert_is_example(described.answer(TRACK), "fault")


def test_the_example_of_a_busy_process_is_what_is_really_answered(
    described: DescribedIngress, busy: None
) -> None:
    assert_is_example(described.answer(LIVEZ), "busy")


def test_the_example_of_an_outage_of_postgresql_is_what_is_really_answered(
    described: DescribedIngress, settings: Settings
) -> None:
    move_postgres(settings, NOWHERE)
    assert_is_example(described.answer(TRACK), "withoutPostgres")


def test_the_example_of_a_full_queue_is_what_is_really_answered(
    described: DescribedIngress, shared_redis: redis.Redis
) -> None:
    with memory_used(shared_redis, 0.87):
        assert_is_example(described.answer(TRACK), "fullQueue")


def test_the_example_of_readiness_is_what_is_really_answered(
    described: DescribedIngress, shared_redis: redis.Redis
) -> None:
    before = shared_redis.config_get("appendfsync")["appendfsync"]
    shared_redis.config_set("appendfsync", "always")
    try:
        assert_is_example(described.answer(READYZ), "ready")
    finally:
        shared_redis.config_set("appendfsync", before)


def test_the_description_is_served_as_it_is_and_counts_against_no_limit(serve: Serve) -> None:
    answer = serve().get("/v1/openapi.yaml")
    assert (answer.status_code, answer.content_type) == (200, "application/yaml")
    assert answer.data == SERVED.read_bytes()
    assert "X-RateLimit-Limit" not in answer.headers
