"""Thousands of deliveries of one organization do not delay the webhooks of another."""

import time
from pathlib import Path

import psycopg2

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


def test_many_deliveries_of_one_organization_delay_no_other(
    own_brazebee: Brazebee, receiver: Receiver, tmp_path: Path
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
    for begin in (due, enabled):
        arrived: list[float] = []
        with fast_receiver(lambda _, arrived=arrived: arrived.append(time.time())) as url:
            begin(own_brazebee, busy, busy.json("webhooks", "add", url)["id"])
            accepted = {}
            for number in range(CHANGES):
                company = f"{begin.__name__}{number}"
                accepted[company] = track(company)
                time.sleep(0.1)
            overtaken_by = []
            for _ in range(CHANGES):
                at, payload = receiver.next(secret)
                since = accepted[payload["company"]["id"]]
                overtaken_by.append(sum(since <= busy_at <= at for busy_at in arrived))
        assert 0 < len(arrived) < MANY, "those of the other organization are being sent"
        assert max(overtaken_by) < MANY / 10
