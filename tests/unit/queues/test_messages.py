from typing import Any
from uuid import UUID

import pytest
from dramatiq import Message

from queues import messages

EVENT: dict[str, Any] = {"event_id": "e1", "company": {"id": "acme", "name": "Acme"}, "user": None}
DELIVERY = UUID("0199f8e2-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("message", "queue", "actor", "arguments"),
    [
        (messages.persist([EVENT]), "events", "persist", ([EVENT],)),
        (messages.evaluate(7), "health", "evaluate", (7,)),
        (messages.deliver(DELIVERY, attempt=3), "webhooks", "deliver", (str(DELIVERY), 3)),
    ],
)
def test_a_message_names_its_queue_its_actor_and_what_it_carries(
    message: Message[None], queue: str, actor: str, arguments: tuple[object, ...]
) -> None:
    assert message.queue_name == queue
    assert message.actor_name == actor
    assert message.args == arguments
    assert message.kwargs == {}


@pytest.mark.parametrize(
    "message",
    [messages.persist([EVENT]), messages.evaluate(7), messages.deliver(DELIVERY, attempt=3)],
)
def test_a_message_comes_out_of_the_queue_as_it_went_in(message: Message[None]) -> None:
    decoded = Message.decode(message.encode())
    assert list(decoded.args) == list(message.args)
    assert decoded.asdict() | {"args": ()} == message.asdict() | {"args": ()}


def test_two_messages_that_ask_for_the_same_are_still_two() -> None:
    assert messages.evaluate(7).message_id != messages.evaluate(7).message_id


def test_messages_that_ask_for_the_same_read_the_same_and_others_do_not() -> None:
    assert str(messages.evaluate(7)) == str(messages.evaluate(7))
    assert str(messages.deliver(DELIVERY, 1)) != str(messages.deliver(DELIVERY, 2))


@pytest.mark.parametrize("event", [EVENT, {"é": "😀\u2028\\", "n": [2**64 - 1, -1.5e300, None]}])
def test_the_bytes_of_a_message_are_read_by_dramatiq(event: dict[str, Any]) -> None:
    message = messages.persist([event])
    redis_id, data = messages.encode(message)
    decoded = Message.decode(data)
    assert decoded.options == {"redis_message_id": redis_id}
    assert decoded.asdict() | {"options": {}} == message.asdict()
