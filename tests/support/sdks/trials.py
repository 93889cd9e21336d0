"""A trial: every SDK that is installed sends its calls to one product, whose ingress is killed."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from queues.lanes.lane_queue import LaneQueue
from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.tenant import Tenant
from tests.support.sdks.account import Account, refused_requests, unknown_keys
from tests.support.sdks.calls import RULES, Plan
from tests.support.sdks.installed import Sdk
from tests.support.sdks.runs import Run, run_drivers

STORING_SECONDS = 60.0


@dataclass(frozen=True)
class Scale:
    """How much each SDK sends, and when the ingress is killed at the latest, in seconds.

    When a tenth of the events is stored, one of the two processes that serve is killed, and the
    requests that it has break off. At a half, all of `web` is killed; it is away for two seconds
    or more. To create an organization takes a second of CPU, so SDKs may share one.
    """

    calls: int
    users: int
    companies: int
    seconds: float
    kill_worker_by: float
    kill_web_by: float
    timeout: float
    shared_organization: bool


BRIEF = Scale(200, 10, 4, 4.0, 2.0, 3.5, timeout=60.0, shared_organization=True)
FULL = Scale(10_000, 100, 20, 120.0, 50.0, 100.0, timeout=420.0, shared_organization=False)
"""With more calls in a second, @rudderstack/rudder-sdk-node falls behind after an outage: with each
call, it measures all that wait."""


@contextmanager
def trial(scale: Scale, sdks: Sequence[Sdk]) -> Iterator[dict[Sdk, Account]]:
    """Yield the account of each SDK, once all that was accepted is stored."""
    with tempfile.TemporaryDirectory(prefix="brazebee-") as made:
        product = Brazebee(Path(made), BRAZEBEE_RATE_LIMIT="1000000/hour")
        product.use_template()
        product.start(dashboard=0, evaluate=0, deliver=0, clock=0, persist=1)
        try:
            yield _tried(scale, sdks, product, Path(made))
        finally:
            product.stop()


def _tried(
    scale: Scale, sdks: Sequence[Sdk], product: Brazebee, folder: Path
) -> dict[Sdk, Account]:
    runs = []
    for sdk in sdks:
        plan = Plan(
            sdk.prefix,
            scale.calls,
            scale.users,
            scale.companies,
            scale.seconds,
            events_only=sdk.events_only,
        )
        runs.append(Run(sdk, plan, list(plan.calls())))
    tenants: dict[str, Tenant] = {}
    for run in runs:
        name = run.plan.prefix
        if scale.shared_organization and tenants:
            tenants[name] = next(iter(tenants.values()))
        else:
            assert product.run("org", "create", name).returncode == 0
            tenants[name] = Tenant(product, name, folder, rules=RULES)
    events = sum(run.expected_events for run in runs)

    def kill() -> None:
        began = time.monotonic()
        _wait_until_events(product, 0.1 * events, began + scale.kill_worker_by)
        assert product.kill("web.1")
        _wait_until_events(product, 0.5 * events, began + scale.kill_web_by)
        os.killpg(product.pids()["web.1"], signal.SIGKILL)

    keys = {run.plan.prefix: tenants[run.plan.prefix].key for run in runs}
    run_drivers(runs, product.base_url, keys, seconds=scale.timeout, meanwhile=kill)
    with redis.Redis.from_url(product.servers["REDIS_URL"]) as client:
        journal = LaneQueue.of_events(client)
        eventually(lambda: not journal.waiting(), STORING_SECONDS)
        unknown = {tenant.id: unknown_keys(tenant, client) for tenant in {*tenants.values()}}
    refused = {tenant.id: refused_requests(tenant) for tenant in {*tenants.values()}}
    accounts = {}
    for run in runs:
        tenant = tenants[run.plan.prefix]
        accounts[run.sdk] = Account(tenant, run, refused[tenant.id], unknown[tenant.id])
    return accounts


def _wait_until_events(product: Brazebee, number: float, deadline: float) -> None:
    while time.monotonic() < deadline:
        [(stored,)] = product.query("select count(*) from events")
        if stored >= number:
            return
        time.sleep(0.1)
