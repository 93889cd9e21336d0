"""The running product of a measurement, its customers, and the ledger of what it accepted.

`brazebee up` serves the ingress, PostgreSQL and Redis; the workers are started and ended as a
measurement wants, by their lines of the Procfile.
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

WORKERS = ("persist", "evaluate", "deliver", "clock")
CUSTOMERS = ("default", "second", "third")
FLOODER = "flooder"
FLOODER_PER_SECOND = 500

LONGEST_DRAIN = 600.0
"""Seconds after which something must be wrong."""


class EventsLost(Exception):
    """Raised when other events are stored than were accepted."""


@dataclass(frozen=True)
class Organization:
    """A tenant with a key of its own."""

    name: str
    id: int
    key: str


class Stage:
    """What measurements share. Not to be used from several threads at once."""

    def __init__(self, product: Product, processes: Processes) -> None:
        self.product = product
        self.processes = processes
        self.backlog = Backlog(product.servers["REDIS_URL"])
        self.organizations: list[Organization] = []
        self.accepted: Counter[int] = Counter()

    def add_organization(self, name: str, *options: str, companies: int, events: int) -> None:
        """A tenant with rules and a past."""
        product = self.product
        if name != "default":  # which `up` has made, with the rules
            product.run("org", "create", name, *options)
            product.run("rules", "apply", str(product.rules), "--org", name, "--yes", "--no-wait")
        key = product.json("keys", "create", "--org", name)["key"]
        [(number,)] = product.query("select id from organizations where name = %(n)s", n=name)
        fill(product, number, companies=companies, events=events)
        self.organizations.append(Organization(name, number, key))
        self.accepted[number] = events

    def traffic(self, *names: str, companies: int, batch: int = 0) -> Traffic:
        """Traffic of these organizations."""
        keys = {one.name: one.key for one in self.organizations}
        return Traffic(tuple(keys[name] for name in names), companies, batch)

    def post(self, offer: Offer, look: Callable[[Clients], object] | None = None) -> Outcome:
        """Have clients post an offer to the product, and remember what it accepted."""
        outcome = run_clients(offer, look=look)
        self.note(offer, outcome)
        return outcome

    def note(self, offer: Offer, outcome: Outcome) -> None:
        """Remember what was accepted."""
        ids = {one.key: one.id for one in self.organizations}
        for place, number in outcome.accepted.items():
            self.accepted[ids[offer.traffic.keys[place]]] += number

    @contextmanager
    def workers(self, *names: str) -> Iterator[None]:
        """Run workers meanwhile."""
        for name in names:
            self.processes.start(name, procfile_line(name))
        yield
        self.processes.stop(*names)

    @contextmanager
    def web_server(self, app: str, **environment: str) -> Iterator[int]:
        """Serve another app exactly as the product's own; the port."""
        port = free_port()
        line = procfile_line("web").replace("ingress.wsgi:app", app)
        self.processes.start(app, line, PORT=str(port), **environment)
        wait_for_port(port)
        yield port
        self.processes.stop(app)

    def drain(self, backlog: Backlog | None = None) -> None:
        """Wait until everything that waits, here or in another backlog, is stored and judged.

        Raises:
            EventsLost: that does not happen.
        """
        backlog = backlog or self.backlog
        deadline = time.monotonic() + LONGEST_DRAIN
        while backlog.unfinished() or self._unsettled():
            self.processes.check()
            if time.monotonic() > deadline:
                raise EventsLost(f"{backlog.unfinished()} messages were never done with")
            time.sleep(0.02)

    def check_nothing_lost(self, run: str) -> None:
        """Compare what is stored with what was accepted.

        Raises:
            EventsLost: they differ.
        """
        rows = self.product.query("select organization_id, count(*) from events group by 1")
        stored = Counter(dict(rows))
        [(rejected,)] = self.product.query("select count(*) from rejected_events")
        differences = [
            f"{one.name}: {self.accepted[one.id]:,} accepted, {stored[one.id]:,} stored"
            for one in self.organizations
            if stored[one.id] != self.accepted[one.id]
        ]
        if rejected:
            differences.append(f"{rejected:,} in rejected_events")
        if differences:
            raise EventsLost(f"After {run}: " + "; ".join(differences))

    def usage(self) -> dict[str, Usage]:
        """What every kind of process has used."""
        pids = self.product.pids() | self.processes.pids()
        return {name: usage_of([pid]) for name, pid in pids.items()} | {"up": Usage()}

    def all_usage(self) -> Usage:
        """What all processes of the product have used, `brazebee up` included."""
        return usage_of([self.product.process.pid, *self.processes.pids().values()])

    def _unsettled(self) -> int:
        [(found,)] = self.product.query(
            "select count(*) from companies where unsettled_since is not null"
        )
        return int(found)


@contextmanager
def running_stage(*, companies: int, events: int, tenants: int = len(CUSTOMERS)) -> Iterator[Stage]:
    """A product with customers, of which each organization has so many, and no workers yet."""
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
