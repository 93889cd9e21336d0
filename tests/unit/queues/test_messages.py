from typing import Any
from uuid import UUID

import pytest
from dramatiq import Message

from queues import messages

EVENT: dict[str, Any] = {"event_id": "e1", "company": {"id": "acme", "name": "Acme"}, "user": None}
ENDPOINT = UUID("0199f8e2-0000-7000-8000-000000000000")
DELIVERY = UUID("0199f8e2-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("message", "queue", "actor", "arguments"),
    [
        (messages.persist([EVENT]), "events", "persist", ([EVENT],)),
        (messages.evaluate(7), "health", "evaluate", (7,)),
        (messages.advance_backtest(7), "backtests", "advance_backtest", (7,)),
        (
            messages.deliver(1, ENDPOINT, DELIVERY, attempt=3),
            "webhooks",
            "deliver",
            (str(DELIVERY), 3),
        ),
    ],
)
def test_a_message_has_its_queue_actor_and_arguments(
    message: Message[None], queue: str, actor: str, arguments: tuple[object, ...]
) -> None:
    assert message.queue_name == queue
    assert message.actor_name == actor
    assert message.args == arguments
    assert message.kwargs == {}


@pytest.mark.parametrize(
    "message",
    [
        messages.persist([EVENT]),
        messages.evaluate(7),
        messages.deliver(1, ENDPOINT, DELIVERY, attempt=3),
    ],
)
def test_a_message_is_decoded_as_it_was_encoded(message: Message[None]) -> None:
    decoded = Message.decode(message.encode())
    assert list(decoded.args) == list(message.args)
    assert decoded.asdict() | {"args": ()} == message.asdict() | {"args": ()}


def test_equal_requests_are_separate_messages() -> None:
    assert messages.evaluate(7).message_id != messages.evaluate(7).message_id


def test_only_equal_requests_have_the_same_text() -> None:
    assert str(messages.evaluate(7)) == str(messages.evaluate(7))
    assert str(messages.deliver(1, ENDPOINT, DELIVERY, 1)) != str(
        messages.deliver(1, ENDPOINT, DELIVERY, 2)
    )


@pytest.mark.parametrize("event", [EVENT, {"é": "😀\u2028\\", "n": [2**64 - 1, -1.5e300, None]}])
def test_dramatiq_decodes_an_encoded_message(event: dict[str, Any]) -> None:
    message = messages.persist([event])
    redis_id, data = messages.encode(message)
    decoded = Message.decode(data)
    assert decoded.options == {"redis_message_id": redis_id}
    assert decoded.asdict() | {"options": {}} == message.asdict()


def test_what_the_release_before_does_not_know_are_options() -> None:
    message = messages.deliver(1, ENDPOINT, DELIVERY, attempt=3)
    decoded: Message[None] = Message.decode(messages.encode(message)[1])
    assert decoded.options["organization_id"] == 1
    assert decoded.options["endpoint_id"] == str(ENDPOINT)
