"""An outage of a server does not change the health of a company."""

import time
from pathlib import Path

import psutil

from tests.support.product.brazebee_process import Brazebee, eventually

RULES = """\
version: 1
statuses: [Healthy, At Risk]
events: {report: }
flags:
  - {flag: Reports, event: report, when: {At Risk: less than 1 time in 6 seconds}}
  - {flag: Never so many, event: report, when: {At Risk: at least 999 times in 1 day}}
"""
"""The second flag awaits every event, so the company is evaluated after each."""


def test_a_pause_of_postgresql_raises_no_false_alarm(
    own_brazebee: Brazebee, tmp_path: Path
) -> None:
    own_brazebee.start(dashboard=0, deliver=0)
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    assert own_brazebee.run("apply", str(rules)).returncode == 0
    event = {"event_key": "report", "company": {"id": "busy", "name": "Busy"}}
    for _ in range(20):  # so that the ingress has cached the key
        assert own_brazebee.track(event).status_code == 200
    eventually(lambda: own_brazebee.run("explain", "busy").returncode == 0)
    postmaster = own_brazebee.pids()["postgres"]
    servers = [psutil.Process(postmaster), *psutil.Process(postmaster).children()]
    for server in servers:
        server.suspend()
    try:
        for _ in range(10):
            assert own_brazebee.track(event).status_code == 200
            time.sleep(1)
    finally:
        for server in servers:
            server.resume()
    eventually(lambda: len(own_brazebee.stored_event_ids()) == 30)
    # `explain` evaluates now, and the clock records the change within a second.
    [only] = eventually(lambda: own_brazebee.json("explain", "busy")["transitions"])
    assert own_brazebee.json("explain", "busy")["health_status"] == "At Risk"
    assert (only["from"], only["to"], only["cause"]) == ("Healthy", "At Risk", "time")
