"""A 200 is a promise: counted exactly once, whichever process dies next."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil
import pytest
import requests

from tests.support.brazebee_process import Brazebee, eventually

EVENTS = 2_000
CLIENTS = 8
KILLS = 3
BETWEEN_KILLS = 0.7


class Clients:
    """Clients that send again until they get a 200, and remember what they were told."""

    def __init__(self, brazebee: Brazebee) -> None:
        self.brazebee = brazebee
        self.accepted: set[str] = set()
        self.unanswered = 0
        self._local = threading.local()

    def post_all(self) -> None:
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(self._post, range(EVENTS)))

    def _post(self, number: int) -> None:
        body = {"event_key": "login", "company": {"id": f"c{number % 50}", "name": "C"}}
        session = self._local.__dict__.setdefault("session", requests.Session())
        session.headers["x-api-key"] = self.brazebee.api_key
        while True:
            try:
                answer = session.post(f"{self.brazebee.base_url}/v1/track", json=body, timeout=10)
            except requests.RequestException:
                self.unanswered += 1  # it may have been queued; nobody was told so
            else:
                if answer.status_code == 200:
                    self.accepted.add(answer.json()["event_id"])
                    return
                assert answer.status_code == 503, answer.text
                self.unanswered += "may not have been accepted" in answer.text
            time.sleep(0.05)


def keep_killing(brazebee: Brazebee, victim: str, stop: threading.Event) -> int:
    """Kill -9 the process that does the work, again and again; how often."""
    kills = 0
    while kills < KILLS and not stop.wait(BETWEEN_KILLS):
        with suppress(psutil.NoSuchProcess, KeyError, ProcessLookupError):
            leader = psutil.Process(brazebee.pids()[victim])
            working = leader.children() if "." in victim else []
            os.kill((working or [leader])[0].pid, signal.SIGKILL)
            kills += 1
    return kills


@pytest.mark.parametrize("victim", ["persist.1", "web.1", "redis", "postgres"])
def test_kill_9_in_the_middle_of_2000_events_loses_none_and_counts_none_twice(
    own_brazebee: Brazebee, victim: str
) -> None:
    own_brazebee.environment["BRAZEBEE_RATE_LIMIT"] = "1000000/hour"
    own_brazebee.start("--scale", "persist=2")
    clients, stop = Clients(own_brazebee), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(keep_killing, own_brazebee, victim, stop)
        try:
            clients.post_all()
        finally:
            stop.set()
        assert killing.result() >= 2
    assert len(clients.accepted) == EVENTS
    eventually(lambda: clients.accepted <= own_brazebee.stored_event_ids(), 90)
    extra = own_brazebee.stored_event_ids() - clients.accepted
    assert len(extra) <= clients.unanswered
