"""Latency from a change's commit to the first attempt, and throughput of a `deliver` process.

Runs the real product with receivers on loopback, so that only our own work is measured.
"""

import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.load.receivers import fast_receiver, hanging_receiver
from bench.product.brazebee_up import Product
from bench.timing import percentiles

RULES = """\
version: 1
statuses: [Healthy, At Risk]
events: {report: }
flags:
  - {flag: Reports, event: report, when: {At Risk: less than 2 times in 7 days}}
"""
IDLE_CHANGES = 200
BUSY_PER_SECOND = 100
BUSY_CHANGES = 2_000
MODERATE_PER_SECOND = 20
MODERATE_CHANGES = 1_000
"""Enough for a queue at a hanging endpoint, and to measure another endpoint beside it."""


def measure_deliveries() -> list[dict[str, Any]]:
    """Return milliseconds from commit to first attempt, and deliveries/s, by situation."""
    with (
        tempfile.TemporaryDirectory(prefix="brazebee-bench-") as folder,
        fast_receiver() as fast,
        hanging_receiver() as hanging,
        Product(Path(folder), RULES) as product,
    ):
        changes = _Changes(product, product.json("webhooks", "add", fast)["id"])
        rows = [
            {"": "one change at a time"} | changes.latency(IDLE_CHANGES, pause=0.05),
            {"": f"{BUSY_PER_SECOND} changes/s"}
            | changes.latency(BUSY_CHANGES, pause=1 / BUSY_PER_SECOND),
            {"": "everything sent once more"} | changes.throughput(),
            {"": f"{MODERATE_PER_SECOND} changes/s"} | changes.moderate_latency(),
            {"": "... beside a recovery of everything"} | changes.latency_during_recovery(),
        ]
        product.json("webhooks", "add", hanging)
        changes.latency(MODERATE_CHANGES, pause=0.0)  # fills the queue of the hanging endpoint
        row = {"": "... beside an endpoint that hangs, 1,000 waiting"}
        return [*rows, row | changes.moderate_latency()]


class _Changes:
    """Health changes, which are delivered to one endpoint."""

    def __init__(self, product: Product, endpoint: str) -> None:
        self.product = product
        self.endpoint = endpoint
        self.companies = 0

    def latency(self, changes: int, *, pause: float) -> dict[str, float]:
        """Make companies due one after another, for the clock and `evaluate` to process.

        Returns percentiles of milliseconds from commit to first attempt.
        """
        first = self.companies + 1
        self.companies += changes
        self.product.query(
            "insert into companies (organization_id, external_id, name, first_seen_at,"
            " health_status, judged_version, unsettled_since)"
            " select 1, 'b' || n, 'Company', now(), 'Healthy', 1,"
            " now() + (n - %(first)s) * %(pause)s * interval '1 second'"
            " from generate_series(%(first)s, %(last)s) n",
            first=first, last=self.companies, pause=pause,
        )  # fmt: skip
        while len(self._latencies(first)) < changes:
            time.sleep(0.2)
        return percentiles([row[0] for row in self._latencies(first)])

    def moderate_latency(self) -> dict[str, float]:
        """Measure latency at a moderate rate, which leaves room for other work."""
        return self.latency(MODERATE_CHANGES, pause=1 / MODERATE_PER_SECOND)

    def throughput(self) -> dict[str, float]:
        """Return deliveries per second, with all deliveries due at once."""
        self.product.run("webhooks", "disable", self.endpoint)
        self.product.query("update deliveries set state = 'paused'")
        number = self._count("state = 'paused'")
        started = time.perf_counter()
        self.product.run("webhooks", "enable", self.endpoint)
        while self._count("state = 'delivered'") < number:
            time.sleep(0.05)
        return {"deliveries_per_s": number / (time.perf_counter() - started)}

    def latency_during_recovery(self) -> dict[str, float]:
        """Measure latency while all former deliveries are recovered."""
        self.product.query("update deliveries set state = 'failed'")
        self.product.run(
            "deliveries", "recover", self.endpoint, "--since", _an_hour_ago(), "--no-wait"
        )
        measured = self.moderate_latency()
        while self._count("state <> 'delivered'"):
            time.sleep(0.2)
        return measured

    def _latencies(self, first: int) -> Sequence[tuple[float]]:
        return self.product.query(
            "select extract(epoch from a.at - d.created_at)::float8 * 1000"
            " from deliveries d join delivery_attempts a on a.delivery_id = d.id"
            " join transitions t on t.id = d.transition_id"
            " join companies c on c.id = t.company_id"
            " where a.attempt = 1 and d.endpoint_id = %(endpoint)s"
            " and substr(c.external_id, 2)::int >= %(first)s",
            endpoint=self.endpoint, first=first,
        )  # fmt: skip

    def _count(self, condition: str) -> int:
        rows = self.product.query(
            f"select count(*) from deliveries where endpoint_id = %(endpoint)s and {condition}",
            endpoint=self.endpoint,
        )
        return int(rows[0][0])


def _an_hour_ago() -> str:
    return (datetime.now(UTC) - timedelta(hours=1)).isoformat()
