"""The examples of requests are accepted, and others as far as their schema allows them."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from ingress.event.event_ids import LONGEST_ID
from ingress.event.valid_event import LONGEST_TEXT
from tests.support.ingress.application import Ingress, Serve, tenant
from tests.support.ingress.described_ingress import AT, EVENTS, DescribedIngress
from tests.support.ingress.description import Operation, is_valid, resolve, sending, values
from tests.support.properties import profile_is_thorough

MISSING = object()

CONTENTS: list[Any] = [
    MISSING, None, "", " ", "two words", "x" * LONGEST_ID, "x" * (LONGEST_ID + 1),
    "x" * LONGEST_TEXT, "x" * (LONGEST_TEXT + 1), 7, 1.5, True, [], {}, ["a"], {"id": "a"},
    {"id": "a", "name": "A", "email": None}, "a@b.example", "a@", "2026-01-20T10:30:00Z",
    "2026-01-20T11:30:00+01:00", "yesterday", [{}] * 100, [{}] * 101,
]  # fmt: skip
"""What is put in the place of each member: of every second one the even ones, but if thorough."""

EMPTY = ("", " ")


def members(schema: Any, value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Any]:
    """Yield the path of every member that a schema has: of an array, those of its first item."""
    schema = resolve(schema)
    for choice in schema.get("oneOf", [schema]):
        for name, part in resolve(choice).get("properties", {}).items():
            yield (*path, name)
            if isinstance(value, dict) and name in value:
                yield from members(part, value[name], (*path, name))
    if "items" in schema and value:
        yield from members(schema["items"], value[0], (*path, 0))


def changed(value: Any, path: tuple[str | int, ...], content: Any) -> Any:
    """Return a copy with another content, or none, in one place."""
    made = deepcopy(value)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    if content is MISSING:
        inner.pop(path[-1], None)
    else:
        inner[path[-1]] = content
    return made


def is_accepted_besides(path: tuple[str | int, ...], content: Any) -> bool:
    """Whether the description says in words that this is accepted, though its schema does not."""
    return path[-1] == "email" and content in EMPTY


def has_other_id(operation: Operation, body: Any) -> bool:
    """Whether a body has another id than the path, which the description says in words."""
    if operation.method != "PUT":
        return False
    one = "company" if "companies" in operation.path else "user"
    in_path = operation.path.rpartition("/")[2]
    return bool(body[one].get("id", in_path) != in_path)


def is_configured(body: Any) -> bool:
    """Whether the event of a request, if it has one, is one of the rules."""
    first = body["events"][0] if "events" in body else body
    return "event_key" not in first or first["event_key"] in [event.key for event in EVENTS]


def send(ingress: Ingress, operation: Operation, key: str, body: Any) -> bool:
    """Send a request; return whether it, or the first item of a batch, is accepted."""
    with ingress.app.test_client() as client:
        answer = client.open(
            operation.path, method=operation.method, json=body, headers={"x-api-key": key}
        )
    assert answer.status_code in (200, 400, 404), answer.text
    content = answer.get_json()
    if answer.status_code != 200:
        return False
    return "results" not in content or content["results"][0]["status"] == "accepted"


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        pytest.param(operation, name, id=f"{operation} {name}")
        for operation in sending()
        for name in operation.examples
    ],
)
def test_an_example_is_accepted_with_the_answer_of_the_same_name(
    described: DescribedIngress, operation: Operation, name: str
) -> None:
    exchange = described.answer(operation, operation.examples[name])
    answers = values(operation.response(200)["content"]["application/json"])
    answer = json.loads(exchange.body)
    assert exchange.status == 200
    assert answer == answers.get(name, answer)
    assert answers.keys() <= operation.examples.keys()


@pytest.mark.parametrize("operation", sending(), ids=str)
def test_what_the_schema_allows_is_accepted_and_all_else_is_refused(
    serve: Serve, operation: Operation
) -> None:
    ingress = serve(now=lambda: AT, rate_limit="1000000/hour")
    key = tenant(events=EVENTS).key
    example = next(iter(operation.examples.values()))
    places = list(dict.fromkeys(members(operation.body_schema, example)))
    outcomes = {True: 0, False: 0}
    for number, path in enumerate(places):
        for content in CONTENTS if profile_is_thorough() else CONTENTS[number % 2 :: 2]:
            body = changed(example, path, content)
            expected = is_valid(operation.body_schema, body)
            if expected and not is_configured(body):
                continue
            if expected and has_other_id(operation, body):
                expected = False
            expected = expected or is_accepted_besides(path, content)
            assert send(ingress, operation, key, body) is expected, (path, content)
            outcomes[expected] += 1
    assert min(outcomes.values()) > len(places), "both are tried"
