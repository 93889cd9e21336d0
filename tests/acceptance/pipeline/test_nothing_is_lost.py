"""A 200 is a promise: an event is counted exactly once, whichever process dies next."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.product.brazebee_process import Brazebee, eventually

CLIENTS = 8
PROCESSES = ("persist.1", "web.1", "postgres")
"""Redis is killed in `test_up.py`: it may lose events of its last two seconds."""


class Clients:
    """Clients that send each event until they get a 200, and remember the ids they got."""

    def __init__(self, brazebee: Brazebee) -> None:
        self.brazebee = brazebee
        self.accepted: set[str] = set()
        self.unanswered = 0
        self._local = threading.local()

    def post(self, number: int) -> None:
        body = {"event_key": "login", "company": {"id": f"c{number % 50}", "name": "C"}}
        session = self._local.__dict__.setdefault("session", requests.Session())
        session.headers["x-api-key"] = self.brazebee.api_key
        while True:
            try:
                answer = session.post(f"{self.brazebee.base_url}/v1/track", json=body, timeout=10)
            except requests.RequestException:
                self.unanswered += 1  # the event may have been queued, without a promise
            else:
                if answer.status_code == 200:
                    self.accepted.add(answer.json()["event_id"])
                    return
                assert answer.status_code == 503, answer.text
                self.unanswered += "may not have been accepted" in answer.text
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("victims", "events"),
    [
        pytest.param(PROCESSES, 600, id="each once"),
        *(
            pytest.param((process,) * 3, 2_000, id=process, marks=pytest.mark.thorough)
            for process in PROCESSES
        ),
    ],
)
def test_kill_9_while_events_arrive_loses_none_and_counts_none_twice(
    own_brazebee: Brazebee, victims: tuple[str, ...], events: int
) -> None:
    own_brazebee.environment |= {"BRAZEBEE_RATE_LIMIT": "1000000/hour", "WEB_CONCURRENCY": "2"}
    own_brazebee.start(persist=2, dashboard=0, deliver=0, clock=0)
    clients = Clients(own_brazebee)
    with ThreadPoolExecutor(CLIENTS) as pool:
        posting = [pool.submit(clients.post, number) for number in range(events)]
        for number, victim in enumerate(victims, 1):
            due = number * events // (len(victims) + 1)
            eventually(lambda due=due: len(clients.accepted) >= due, 60)
            eventually(lambda victim=victim: own_brazebee.kill(victim))
        assert len(clients.accepted) < events
        for post in posting:
            post.result()
    assert len(clients.accepted) == events
    eventually(lambda: clients.accepted <= own_brazebee.stored_event_ids(), 90)
    extra = own_brazebee.stored_event_ids() - clients.accepted
    assert len(extra) <= clients.unanswered
