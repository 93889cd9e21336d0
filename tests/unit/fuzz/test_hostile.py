"""The inputs of `make fuzz` are repeatable and varied."""

import json
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from fuzz.__main__ import KINDS
from fuzz.exchange import Answer
from fuzz.hostile import DEEP, mutated, value
from fuzz.kinds import Kind
from fuzz.target import Form

TARGET: Any = SimpleNamespace(
    send_key="bzb_send",
    read_key="bzb_read",
    cookie="session=1",
    dashboard_port=8001,
    addresses=["/o/default/companies?status=Poor&after=1", "/v1/companies/c1/health"],
    forms=[
        Form("/o/default/rules/check", [("csrf_token", "t"), ("text", "version: 1")]),
        Form("/o/default/views", [("csrf_token", "t"), ("name", "Poor")]),
    ],
)
NUMBERS = range(300)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_seed_makes_the_same_input_again_and_others_make_others(kind: Kind) -> None:
    first, again = ([kind.make(TARGET, Random(n)) for n in NUMBERS] for _ in range(2))
    assert first == again
    assert len(set(first)) > 0.5 * len(first)


def test_a_mutated_value_is_json_and_usually_another() -> None:
    given = {"company": {"id": "c", "seats": [1, 2]}, "event_key": "login"}
    before = json.dumps(given)
    results = [json.dumps(mutated(Random(n), given)) for n in NUMBERS]
    assert json.dumps(given) == before, "the given value is not changed"
    assert sum(result != before for result in results) > 0.9 * len(results)


def test_values_are_sometimes_deep_and_never_endless() -> None:
    depths = [depth_of(value(Random(n))) for n in range(2_000)]
    assert 30 < max(depths) < DEEP + 10


def depth_of(given: Any) -> int:
    inner = list(given.values()) if isinstance(given, dict) else given
    return 1 + max(map(depth_of, inner), default=0) if isinstance(inner, list) else 0


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer((200,), b"", 0.1), None),
        (Answer((), b"", 0.1), None),
        (Answer((400, 503), b"", 0.1), "status 503"),
        (Answer((200,), b"", 2.5), "took 2.5 s"),
    ],
)
def test_a_late_answer_and_an_error_of_the_server_are_faults(
    answer: Answer, fault: str | None
) -> None:
    assert answer.fault == fault
