"""Latency of a healthy endpoint's webhooks while many others hang, from commit to arrival.

Runs the real product. Endpoints answer until they all begin to hang at once, with deliveries
waiting for each of them; or they are new and never answered.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.load.receivers import Hanging, fast_receiver, receiver_that_hangs
from bench.product.brazebee_up import Product
from bench.timing import percentiles
from bench.webhooks.deliveries import RULES

PER_SECOND = 20
SECONDS = 40
"""Attempts to endpoints that hang time out twice in this time."""

WAITING = 20
"""Deliveries that wait for each endpoint that hangs."""


def measure_hanging(numbers: tuple[int, ...] = (0, 100, 300)) -> list[dict[str, Any]]:
    """Return milliseconds from commit to arrival at a healthy endpoint, by hanging endpoints."""
    rows = []
    for answered_before in (False, True):
        for number in numbers:
            if number or not answered_before:
                with _running() as situation:
                    rows.append(situation.measure(number, answered_before=answered_before))
    return rows


@contextmanager
def _running() -> Iterator["_Situation"]:
    arrivals: dict[str, float] = {}

    def note(body: bytes) -> None:
        arrivals.setdefault(json.loads(body)["id"], time.time())

    with (
        tempfile.TemporaryDirectory(prefix="brazebee-bench-") as folder,
        fast_receiver(note) as fast,
        receiver_that_hangs() as hanging,
        Product(Path(folder), RULES) as product,
    ):
        product.json("webhooks", "add", fast)
        yield _Situation(product, arrivals, hanging)


class _Situation:
    def __init__(self, product: Product, arrivals: dict[str, float], hanging: Hanging) -> None:
        self._product = product
        self._arrivals = arrivals
        self._hanging = hanging

    def measure(self, number: int, *, answered_before: bool) -> dict[str, Any]:
        product = self._product
        self._subscribe(number)
        self._make_due("warm", 50, every=0.02)
        time.sleep(5)
        if answered_before:
            self._add_waiting(1)
            time.sleep(10)
        self._hanging.hangs.set()
        worker = psutil.Process(product.pids()["deliver"]).children()[0]
        before = worker.cpu_times()
        self._add_waiting(WAITING)
        self._make_due("c", PER_SECOND * SECONDS, every=1 / PER_SECOND)
        threads, connections, memory = 0, 0, 0.0
        for _ in range(SECONDS + 3):
            time.sleep(1)
            threads = max(threads, worker.num_threads())
            memory = max(memory, worker.memory_info().rss / 1e6)
            connections = max(connections, len(worker.net_connections("unix")))
        after = worker.cpu_times()
        milliseconds = self._latencies("c")
        return {
            "hanging endpoints": number,
            "answered before": answered_before,
            "arrived": len(milliseconds),
            **percentiles(milliseconds),
            "max_ms": max(milliseconds),
            "first_second_max_ms": max(milliseconds[:PER_SECOND]),
            "threads": threads,
            "memory_mb": memory,
            "connections": connections,
            "cpu_percent": 100
            * (after.user + after.system - before.user - before.system)
            / (SECONDS + 3),
        }

    def _subscribe(self, number: int) -> None:
        """Subscribe endpoints that will hang, to a company that does not exist."""
        self._product.query(
            "insert into webhook_endpoints (id, organization_id, url, encrypted_secret, companies)"
            " select gen_random_uuid(), 1, %(url)s, encrypted_secret, '{nobody}'"
            " from webhook_endpoints, generate_series(1, %(number)s)",
            url=self._hanging.url, number=number,
        )  # fmt: skip

    def _add_waiting(self, number: int) -> None:
        """Add deliveries to each of these endpoints, as a transaction of `evaluate` does."""
        self._product.query(
            "insert into deliveries (id, organization_id, endpoint_id, message_id, payload, state,"
            " parked, next_attempt_at, created_at) select gen_random_uuid(), 1, e.id,"
            " gen_random_uuid(), '{}', 'waiting', n > 1,"
            " case n when 1 then now() when 2 then now() + interval '2 seconds' end, now()"
            " from webhook_endpoints e, generate_series(1, %(number)s) n"
            " where e.companies is not null",
            number=number,
        )

    def _make_due(self, prefix: str, number: int, *, every: float, first: int = 1) -> None:
        """Make companies due one after another, for the clock and `evaluate` to process."""
        self._product.query(
            "insert into companies (organization_id, external_id, name, first_seen_at,"
            " health_status, judged_version, unsettled_since)"
            " select 1, %(prefix)s || n, 'Company', now(), 'Healthy', 1,"
            " now() - interval '2 seconds' + (n - %(first)s) * %(every)s * interval '1 second'"
            " from generate_series(%(first)s, %(last)s) n",
            prefix=prefix, first=first, last=first + number - 1, every=every,
        )  # fmt: skip

    def _latencies(self, prefix: str) -> list[float]:
        rows = self._product.query(
            "select d.message_id, extract(epoch from d.created_at)::float8 from deliveries d"
            " join transitions t on t.id = d.transition_id"
            " join companies c on c.id = t.company_id where c.external_id like %(prefix)s"
            " order by d.created_at",
            prefix=prefix + "%",
        )
        return [
            (self._arrivals[message_id] - created_at) * 1000
            for message_id, created_at in rows
            if message_id in self._arrivals
        ]
