"""The running product of a benchmark, its customers, and the number of events it accepted.

`brazebee up` runs the ingress, PostgreSQL and Redis. A measurement starts and ends the workers it
needs, by their lines of the Procfile.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load.clients import Clients, run_clients
from bench.load.generator import Offer, Outcome
from bench.load.traffic import Traffic
from bench.product.backlog import Backlog
from bench.product.brazebee_up import BRAZEBEE, Product
from bench.product.history import RULES, fill
from bench.product.processes import (
    Processes,
    Usage,
    free_port,
    procfile_line,
    usage_of,
    wait_for_port,
)

WORKERS = ("persist", "evaluate", "deliver", "backtest", "clock")
CUSTOMERS = ("default", "second", "third")
FLOODER = "flooder"
FLOODER_PER_SECOND = 500

WSGI_SERVER = (
    "exec granian --interface wsgi --host 127.0.0.1 --workers 2 --blocking-threads 2 --http 1"
    " --no-ws --respawn-failed-workers --log-level error"
)
"""With two threads, an empty view is fastest."""

MAXIMUM_DRAIN = 600.0
"""Seconds after which events count as lost."""


class EventsLost(Exception):
    """Raised when the number of stored events differs from the number of accepted ones."""


@dataclass(frozen=True)
class Organization:
    """A customer's organization, and its API key."""

    name: str
    id: int
    key: str


class Stage:
    """State that measurements share. Not safe for use by several threads."""

    def __init__(self, product: Product, processes: Processes) -> None:
        self.product = product
        self.processes = processes
        self.backlog = Backlog(product.servers["REDIS_URL"])
        self.organizations: list[Organization] = []
        self.accepted: Counter[int] = Counter()

    def add_organization(self, name: str, *options: str, companies: int, events: int) -> None:
        """Create an organization with rules and a past."""
        product = self.product
        if name != "default":  # `up` has created that one, with the rules
            product.run("org", "create", name, *options)
            product.run("rules", "apply", str(product.rules), "--org", name, "--yes", "--no-wait")
        key = product.json("keys", "create", "--org", name)["key"]
        [(number,)] = product.query("select id from organizations where name = %(n)s", n=name)
        fill(product, number, companies=companies, events=events)
        self.organizations.append(Organization(name, number, key))
        self.accepted[number] = events

    def traffic(self, *names: str, companies: int, batch: int = 0) -> Traffic:
        """Return the traffic of organizations."""
        keys = {organization.name: organization.key for organization in self.organizations}
        return Traffic(tuple(keys[name] for name in names), companies, batch)

    def post(self, offer: Offer, on_tick: Callable[[Clients], object] | None = None) -> Outcome:
        """Post an offer to the product, and count the accepted events."""
        outcome = run_clients(offer, on_tick=on_tick)
        self.count_accepted(offer, outcome)
        return outcome

    def count_accepted(self, offer: Offer, outcome: Outcome) -> None:
        """Add the accepted events of an outcome."""
        ids = {organization.key: organization.id for organization in self.organizations}
        for index, number in outcome.accepted.items():
            self.accepted[ids[offer.traffic.keys[index]]] += number

    @contextmanager
    def workers(self, *names: str) -> Iterator[None]:
        """Run workers during a block."""
        for name in names:
            self.processes.start(name, procfile_line(name))
        yield
        self.processes.stop(*names)

    @contextmanager
    def web_server(self, app: str, **environment: str) -> Iterator[int]:
        """Serve a WSGI application with the same server as the product's own; yield its port."""
        port = free_port()
        self.processes.start(app, f"{WSGI_SERVER} --port {port} {app}", **environment)
        wait_for_port(port)
        yield port
        self.processes.stop(app)

    def drain(self, backlog: Backlog | None = None) -> None:
        """Wait until all events in a backlog, by default ours, are stored and evaluated.

        Raises:
            EventsLost: it takes longer than `MAXIMUM_DRAIN`.
        """
        backlog = backlog or self.backlog
        deadline = time.monotonic() + MAXIMUM_DRAIN
        while backlog.unfinished() or self._unsettled():
            self.processes.check()
            if time.monotonic() > deadline:
                raise EventsLost(f"{backlog.unfinished()} messages were never processed")
            time.sleep(0.02)

    def check_nothing_lost(self, run: str) -> None:
        """Compare the numbers of stored and of accepted events.

        Raises:
            EventsLost: they differ.
        """
        rows = self.product.query("select organization_id, count(*) from events group by 1")
        stored = Counter(dict(rows))
        [(rejected,)] = self.product.query("select count(*) from rejected_events")
        differences = [
            f"{tenant.name}: {self.accepted[tenant.id]:,} accepted, {stored[tenant.id]:,} stored"
            for tenant in self.organizations
            if stored[tenant.id] != self.accepted[tenant.id]
        ]
        if rejected:
            differences.append(f"{rejected:,} in rejected_events")
        if differences:
            raise EventsLost(f"After {run}: " + "; ".join(differences))

    def usage(self) -> dict[str, Usage]:
        """Return the resources of the processes by name."""
        pids = self.product.pids() | self.processes.pids()
        return {name: usage_of([pid]) for name, pid in pids.items()} | {"up": Usage()}

    def all_usage(self) -> Usage:
        """Return the resources of all processes together, including `brazebee up`."""
        return usage_of([self.product.process.pid, *self.processes.pids().values()])

    def _unsettled(self) -> int:
        [(number,)] = self.product.query(
            "select count(*) from companies where unsettled_since is not null"
        )
        return int(number)


@contextmanager
def running_stage(*, companies: int, events: int, tenants: int = len(CUSTOMERS)) -> Iterator[Stage]:
    """Run a product without workers; `companies` and `events` are per organization."""
    scale = ",".join(f"{name}=0" for name in WORKERS)
    with tempfile.TemporaryDirectory(prefix="brazebee-bench-") as name:
        folder = Path(name)
        limit = {"BRAZEBEE_RATE_LIMIT": "1000000000/hour"}
        with Product(folder, RULES, "--scale", scale, **limit) as product:
            path = f"{Path(BRAZEBEE).parent}:{product.environment['PATH']}"
            environment = {**product.environment, **product.servers, "PATH": path}
            with Processes(folder, environment) as processes:
                stage = Stage(product, processes)
                for customer in CUSTOMERS[:tenants]:
                    stage.add_organization(customer, companies=companies, events=events)
                yield stage
