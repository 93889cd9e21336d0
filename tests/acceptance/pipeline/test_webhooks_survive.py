"""Webhooks while everything between a transition and its recorded delivery is killed."""

import os
import signal
import time
from collections import defaultdict
from pathlib import Path

import psutil
import pytest
import redis

from tests.support.brazebee_process import Brazebee, eventually
from tests.support.receiver import Receiver

RULES = """\
version: 1
statuses: [Healthy, At Risk]
events: {report: }
flags:
  - {flag: Reports, event: report, when: {At Risk: less than 2 times in 7 days}}
"""
COMPANIES = 200
VICTIMS = ("deliver.1", "redis", "deliver.1", "FLUSHALL", "postgres", "clock.1", "deliver.1")
IN_FLIGHT = 2


def strike(brazebee: Brazebee, victim: str) -> None:
    """Kill -9 the process that does the work, or empty the queue's Redis."""
    if victim == "FLUSHALL":
        with redis.Redis.from_url(brazebee.servers["REDIS_URL"]) as client:
            client.flushall()
        return
    eventually(lambda: killed(brazebee, victim))


def killed(brazebee: Brazebee, victim: str) -> bool:
    """Whether there was such a process to kill: one killed before may not be back yet."""
    try:
        leader = psutil.Process(brazebee.pids()[victim])
        working = leader.children() if victim.startswith("deliver") else []
        os.kill((working or [leader])[0].pid, signal.SIGKILL)
    except (KeyError, ProcessLookupError, psutil.NoSuchProcess):
        return False
    return True


@pytest.mark.timeout(240)
def test_every_delivery_arrives_though_all_that_carries_it_is_killed(
    own_brazebee: Brazebee, receiver: Receiver, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    own_brazebee.start("--rules", str(rules))
    endpoint = own_brazebee.json("webhooks", "add", receiver.url)["id"]
    own_brazebee.run("webhooks", "disable", endpoint)
    for number in range(COMPANIES):
        company = {"id": f"c{number}", "name": "Company"}
        sent = own_brazebee.track({"event_key": "report", "company": company})
        assert sent.status_code == 200
    paused = ("deliveries", "list", "--state", "paused", "--limit", "1000")
    eventually(lambda: len(own_brazebee.json(*paused)) == COMPANIES)

    receiver.takes_seconds = 0.1
    own_brazebee.run("webhooks", "enable", endpoint)
    for victim in VICTIMS:
        time.sleep(1)
        strike(own_brazebee, victim)

    bodies: dict[str, list[bytes]] = defaultdict(list)
    deadline = time.monotonic() + 100  # a lease that a killed worker left lasts a minute
    while len(bodies) < COMPANIES and time.monotonic() < deadline:
        _, headers, body = receiver.received.get(timeout=100)
        bodies[headers["webhook-id"]].append(body)
    eventually(lambda: not own_brazebee.json("deliveries", "list", "--state", "waiting"))
    while not receiver.received.empty():
        _, headers, body = receiver.received.get()
        bodies[headers["webhook-id"]].append(body)

    assert len(bodies) == COMPANIES
    assert all(len(set(sent)) == 1 for sent in bodies.values()), "a repeat says the same"
    repeats = sum(map(len, bodies.values())) - COMPANIES
    print(f"{repeats} of {COMPANIES} deliveries came twice")  # noqa: T201 -- what is asked for
    assert repeats <= IN_FLIGHT * len(VICTIMS)
