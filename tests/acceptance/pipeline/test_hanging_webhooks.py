"""Webhooks of a healthy endpoint arrive while many others accept connections and never answer.

`bench/webhooks/hanging_endpoints.py` measures the latencies.
"""

from collections.abc import Iterator

import pytest

from bench.load.receivers import hanging_receiver
from tests.support.product.brazebee_process import eventually
from tests.support.product.tenant import Subscriber
from tests.support.webhooks.receiver import Receiver

HANGING = 40
WAITING = 20
COMPANIES = [f"c{number}" for number in range(30)]


@pytest.fixture
def hanging() -> Iterator[str]:
    with hanging_receiver() as url:
        yield url


def add_hanging(subscriber: Subscriber, url: str) -> None:
    """Subscribe endpoints to no company, and add deliveries that wait for each of them."""
    subscriber.brazebee.execute(
        "insert into webhook_endpoints (id, organization_id, url, encrypted_secret, companies)"
        f" select gen_random_uuid(), organization_id, '{url}', encrypted_secret, '{{nobody}}'"
        f" from webhook_endpoints, generate_series(1, {HANGING})"
        f" where organization_id = {subscriber.id};"
        "insert into deliveries (id, organization_id, endpoint_id, message_id, payload, state,"
        " next_attempt_at, created_at) select gen_random_uuid(), organization_id, id, 'msg_1',"
        f" '{{}}', 'waiting', now(), now() from webhook_endpoints, generate_series(1, {WAITING})"
        f" where organization_id = {subscriber.id} and companies is not null"
    )


@pytest.mark.long
def test_a_healthy_endpoint_is_not_delayed_from_the_first_second_on(
    subscriber: Subscriber, receiver: Receiver, hanging: str
) -> None:
    _, secret = subscriber.add(receiver.url)
    subscriber.track("first")
    receiver.next(secret)
    add_hanging(subscriber, hanging)
    subscriber.track_in_turn(COMPANIES)
    arrived = {receiver.next(secret)[1]["company"]["id"] for _ in COMPANIES}
    assert arrived == set(COMPANIES)
    assert ended(subscriber) == 0, "they arrived before the first attempt timed out"
    eventually(lambda: in_progress(subscriber) == HANGING)


def ended(subscriber: Subscriber) -> int:
    """Return how many attempts at endpoints that hang have timed out."""
    [(number,)] = subscriber.brazebee.query(
        "select count(*) from deliveries join webhook_endpoints e on e.id = endpoint_id"
        f" where e.organization_id = {subscriber.id} and e.companies is not null and tries > 0"
    )
    return int(number)


def in_progress(subscriber: Subscriber) -> int:
    """Return at how many endpoints an attempt is in progress."""
    [(number,)] = subscriber.brazebee.query(
        "select count(distinct endpoint_id) from deliveries"
        f" where organization_id = {subscriber.id} and lease_token is not null"
    )
    return int(number)
