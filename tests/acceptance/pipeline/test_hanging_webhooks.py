"""Webhooks of a healthy endpoint arrive while many others accept connections and never answer.

`bench/hanging_endpoints.py` measures the latencies.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from bench.load.receivers import hanging_receiver
from tests.support.product.brazebee_process import Brazebee
from tests.support.product.tenant import REPORTS
from tests.support.webhooks.receiver import Receiver

HANGING = 40
WAITING = 20
CHANGES = 30


@pytest.fixture
def hanging() -> Iterator[str]:
    with hanging_receiver() as url:
        yield url


def add_hanging(brazebee: Brazebee, url: str) -> None:
    """Subscribe endpoints to no company, and add deliveries that wait for each of them."""
    with psycopg2.connect(brazebee.servers["DATABASE_URL"]) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "insert into webhook_endpoints (id, organization_id, url, encrypted_secret, companies)"
            " select gen_random_uuid(), organization_id, %s, encrypted_secret, '{nobody}'"
            " from webhook_endpoints, generate_series(1, %s)",
            (url, HANGING),
        )
        cursor.execute(
            "insert into deliveries (id, organization_id, endpoint_id, message_id, payload, state,"
            " next_attempt_at, created_at) select gen_random_uuid(), organization_id, id, 'msg_1',"
            " '{}', 'waiting', now(), now() from webhook_endpoints, generate_series(1, %s)"
            " where companies is not null",
            (WAITING,),
        )
    connection.close()


def test_a_healthy_endpoint_is_not_delayed_from_the_first_second_on(
    own_brazebee: Brazebee, receiver: Receiver, hanging: str, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(REPORTS)
    own_brazebee.start("--rules", str(rules), dashboard=0)
    secret = own_brazebee.json("webhooks", "add", receiver.url)["secret"]

    def track(company: str) -> float:
        event = {"event_key": "report", "company": {"id": company, "name": company}}
        assert own_brazebee.track(event).status_code == 200
        return time.time()

    track("first")
    receiver.next(secret)
    add_hanging(own_brazebee, hanging)
    accepted = {}
    for number in range(CHANGES):
        accepted[f"c{number}"] = track(f"c{number}")
        time.sleep(0.1)
    delays = []
    for _ in range(CHANGES):
        at, payload = receiver.next(secret, seconds=5)
        delays.append(at - accepted[payload["company"]["id"]])
    assert max(delays) < 2, "with a margin for a busy machine"
    [(in_progress,)] = own_brazebee.query(
        "select count(distinct endpoint_id) from deliveries where lease_token is not null"
    )
    assert in_progress == HANGING, "each of them has an attempt in progress"
