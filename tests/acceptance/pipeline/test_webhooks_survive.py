"""Webhooks arrive while every process between a transition and its delivery is killed."""

import time
from collections import defaultdict
from pathlib import Path

import pytest
import redis

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.tenant import REPORTS
from tests.support.webhooks.receiver import Receiver

IN_FLIGHT = 2
"""Deliveries to one endpoint at a time: as many may be repeated when their worker is killed."""


def strike(brazebee: Brazebee, victim: str) -> bool:
    """Kill -9 a process or empty the Redis of the queue; False if it is not running."""
    if victim != "FLUSHALL":
        return brazebee.kill(victim)
    with redis.Redis.from_url(brazebee.servers["REDIS_URL"]) as client:
        try:
            client.flushall()
        except redis.ConnectionError:
            return False
    return True


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("companies", "victims"),
    [
        pytest.param(
            40,
            ("deliver.1", "redis", "FLUSHALL", "postgres", "clock.1"),
            id="each once",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            200,
            ("deliver.1", "redis", "deliver.1", "FLUSHALL", "postgres", "clock.1", "deliver.1"),
            id="again and again",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_every_delivery_arrives_though_all_that_carries_it_is_killed(
    own_brazebee: Brazebee,
    receiver: Receiver,
    tmp_path: Path,
    companies: int,
    victims: tuple[str, ...],
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(REPORTS)
    own_brazebee.start("--rules", str(rules), dashboard=0)
    endpoint = own_brazebee.json("webhooks", "add", receiver.url)["id"]
    own_brazebee.run("webhooks", "disable", endpoint)
    for number in range(companies):
        company = {"id": f"c{number}", "name": "Company"}
        sent = own_brazebee.track({"event_key": "report", "company": company})
        assert sent.status_code == 200
    paused = ("deliveries", "list", "--state", "paused", "--limit", "1000")
    eventually(lambda: len(own_brazebee.json(*paused)) == companies)

    receiver.takes_seconds = 0.1
    own_brazebee.run("webhooks", "enable", endpoint)
    for victim in victims:
        time.sleep(companies / 200)  # deliveries take a tenth of a second, two at a time
        eventually(lambda victim=victim: strike(own_brazebee, victim))

    bodies: dict[str, list[bytes]] = defaultdict(list)
    deadline = time.monotonic() + 100  # a lease that a killed worker left lasts a minute
    while len(bodies) < companies and time.monotonic() < deadline:
        _, headers, body = receiver.received.get(timeout=100)
        bodies[headers["webhook-id"]].append(body)
    waiting = ("deliveries", "list", "--state", "waiting", "--json")
    eventually(lambda: own_brazebee.run(*waiting).stdout == "[]\n")
    while not receiver.received.empty():
        _, headers, body = receiver.received.get()
        bodies[headers["webhook-id"]].append(body)

    assert len(bodies) == companies
    assert all(len(set(sent)) == 1 for sent in bodies.values()), "a repeat has the same body"
    repeats = sum(map(len, bodies.values())) - companies
    print(f"{repeats} of {companies} deliveries came twice")  # noqa: T201 -- for whoever runs it
    assert repeats <= IN_FLIGHT * len(victims)
