"""Thousands of deliveries of one organization do not delay the webhooks of another."""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest

from bench.load.receivers import fast_receiver
from tests.support.product.brazebee_process import Brazebee
from tests.support.product.tenant import REPORTS, Tenant
from tests.support.webhooks.receiver import Receiver

MANY = 5_000
CHANGES = 25

DUE = "'waiting', null, now()"
PAUSED = "'paused', null, null"


def add_deliveries(brazebee: Brazebee, endpoint: str, state: str) -> None:
    """Add many deliveries in a state."""
    with psycopg2.connect(brazebee.servers["DATABASE_URL"]) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "insert into deliveries (id, organization_id, endpoint_id, transition_id, message_id,"
            " payload, state, finished_at, next_attempt_at, created_at)"
            " select gen_random_uuid(), d.organization_id, %s, null, 'msg_1', '{}',"
            f" {state}, now() from (select organization_id from webhook_endpoints where id = %s) d,"
            " generate_series(1, %s)",
            (endpoint, endpoint, MANY),
        )
    connection.close()


def due(brazebee: Brazebee, tenant: Tenant, endpoint: str) -> None:
    add_deliveries(brazebee, endpoint, DUE)


def enabled(brazebee: Brazebee, tenant: Tenant, endpoint: str) -> None:
    assert tenant.run("webhooks", "disable", endpoint).returncode == 0
    add_deliveries(brazebee, endpoint, PAUSED)
    assert tenant.run("webhooks", "enable", endpoint).returncode == 0


@pytest.mark.parametrize("begin", [due, enabled])
def test_many_deliveries_of_one_organization_delay_no_other(
    own_brazebee: Brazebee,
    receiver: Receiver,
    tmp_path: Path,
    begin: Callable[[Brazebee, Tenant, str], None],
) -> None:
    rules = tmp_path / "first.yaml"
    rules.write_text(REPORTS)
    own_brazebee.start("--rules", str(rules), dashboard=0)
    assert own_brazebee.run("org", "create", "busy").returncode == 0
    busy = Tenant(own_brazebee, "busy", tmp_path)
    secret = own_brazebee.json("webhooks", "add", receiver.url)["secret"]

    def track(company: str) -> float:
        event = {"event_key": "report", "company": {"id": company, "name": company}}
        assert own_brazebee.track(event).status_code == 200
        return time.time()

    track("first")
    receiver.next(secret)
    arrived: list[bytes] = []
    with fast_receiver(arrived.append) as url:
        begin(own_brazebee, busy, busy.json("webhooks", "add", url)["id"])
        accepted = {}
        for number in range(CHANGES):
            accepted[f"c{number}"] = track(f"c{number}")
            time.sleep(0.1)
        delays = []
        for _ in range(CHANGES):
            at, payload = receiver.next(secret, seconds=5)
            delays.append(at - accepted[payload["company"]["id"]])
        sent = len(arrived)
    assert max(delays) < 1, "from the acceptance of an event to its webhook"
    assert 100 < sent < MANY, "those of the other organization are being sent"
