"""The metrics of the ingress cover all of its worker processes."""

import os
import signal

import psutil
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.support.product.brazebee_process import Brazebee, eventually

TOKEN = "t0ken-of-operations"
EVENT = {"event_key": "login", "company": {"id": "c", "name": "C"}}


def accepted(brazebee: Brazebee) -> int:
    """Return how many events were accepted, according to the worker that answers."""
    answer = requests.get(
        f"{brazebee.base_url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10
    )
    assert answer.status_code == 200
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "brazebee_ingress_events_total"
        and sample.labels == {"outcome": "accepted"}
    )


@pytest.mark.long
def test_every_worker_returns_the_counts_of_all_including_killed_ones(
    own_brazebee: Brazebee,
) -> None:
    own_brazebee.environment |= {"BRAZEBEE_METRICS_TOKEN": TOKEN, "WEB_CONCURRENCY": "2"}
    own_brazebee.start(persist=0, evaluate=0, deliver=0, clock=0, dashboard=0)
    assert requests.get(f"{own_brazebee.base_url}/metrics", timeout=10).status_code == 401
    for _ in range(40):
        assert own_brazebee.track(EVENT).status_code == 200
    assert {accepted(own_brazebee) for _ in range(20)} == {40}
    workers = psutil.Process(own_brazebee.pids()["web.1"]).children()
    assert len([w for w in workers if "resource_tracker" not in " ".join(w.cmdline())]) == 2
    os.kill(workers[-1].pid, signal.SIGKILL)
    eventually(lambda: not psutil.pid_exists(workers[-1].pid))
    eventually(lambda: _answers(own_brazebee))
    for _ in range(10):
        assert own_brazebee.track(EVENT).status_code == 200
    assert {accepted(own_brazebee) for _ in range(20)} == {50}


def _answers(brazebee: Brazebee) -> bool:
    try:
        return all(brazebee.track({}).status_code == 400 for _ in range(10))
    except requests.RequestException:
        return False
