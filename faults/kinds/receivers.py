"""Receivers of webhooks that hang or refuse, beside one that is healthy."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from uuid import UUID

from bench.latency import percentile
from bench.load.receivers import hanging_receiver
from faults.stage import Fault, Stage
from models.database import transaction
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import NewDelivery
from services.webhooks.endpoints import lock, remove

HANGING_ENDPOINTS = 100
WAITING_EACH = 20
OBSERVED_SECONDS = 20.0
SLACK_MS = 20.0
"""Milliseconds added to twice the baseline, which is a few milliseconds on a quiet machine."""


def _hanging(stage: Stage) -> str:
    baseline = _first_attempts_p99(stage, OBSERVED_SECONDS)
    with _hanging_endpoints(stage) as endpoints:
        now = datetime.now(UTC)
        with transaction():
            deliveries.add_all(
                [
                    NewDelivery(stage.victim.id, endpoint, None, f"msg_{n}", "{}", created_at=now)
                    for endpoint in endpoints
                    for n in range(WAITING_EACH)
                ]
            )
        beside = _first_attempts_p99(stage, OBSERVED_SECONDS)
    if beside > 2 * baseline + SLACK_MS:
        raise AssertionError(f"p99 {beside:.0f} ms beside them, {baseline:.0f} ms without")
    return f"webhooks p99 {beside:.0f} ms, {baseline:.0f} ms without"


@contextmanager
def _hanging_endpoints(stage: Stage) -> Iterator[list[UUID]]:
    with ExitStack() as receivers:
        endpoints = []
        url = receivers.enter_context(hanging_receiver())
        with transaction():
            for number in range(HANGING_ENDPOINTS):
                endpoint, _ = webhook_endpoints.add(
                    stage.victim.id,
                    f"{url}/{number}",
                    secret_keys=stage.product.settings.secret_keys,
                )
                endpoints.append(endpoint)
        yield endpoints
        with transaction():
            for endpoint in endpoints:
                remove(lock(stage.victim.id, endpoint))


def _first_attempts_p99(stage: Stage, seconds: float) -> float:
    """Return the milliseconds from the commit of the other's deliveries to their first attempt."""
    since = datetime.now(UTC)
    time.sleep(seconds)
    rows = stage.product.query(
        "select extract(epoch from a.at - d.created_at)::float from deliveries d"
        " join delivery_attempts a on a.organization_id = d.organization_id"
        " and a.delivery_id = d.id and a.attempt = 1"
        " where d.organization_id = %(id)s and d.created_at >= %(since)s",
        id=stage.other.id,
        since=since,
    )
    if not rows:
        raise AssertionError(f"no webhook of the other customer was sent for {seconds:g} s")
    return 1_000 * percentile([delay for (delay,) in rows], 99)


FAULTS = [Fault(f"{HANGING_ENDPOINTS} endpoints hang, {WAITING_EACH} deliveries each", _hanging)]
