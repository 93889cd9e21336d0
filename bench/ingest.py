"""The path of an event, from the client to its company's health, compared with its ceilings.

Ceilings, a straightforward implementation and the product are measured in one run on the same
servers.
"""

from dataclasses import dataclass, replace

import click

from bench.figures import Figure
from bench.latency import BATCH, measure_dwell, measure_idle, measure_tenants, percentile
from bench.load.generator import Offer, Outcome
from bench.product.stage import CUSTOMERS, FLOODER, FLOODER_PER_SECOND, Stage, running_stage
from bench.progress import Progress
from bench.reference.baseline import copy_tables, sustain_straightforward
from bench.reference.ceilings import bare_inserts_per_second, empty_actor_per_second, empty_view
from bench.throughput import (
    Sustained,
    batches_per_second,
    stored_and_judged_per_second,
    sustain,
)

COMPANIES = 2_000
EVENTS = 40_000
"""Stored events of each organization at the start."""

WARM_UP = 1.0
PER_SECOND = "events/s"


@dataclass(frozen=True)
class Sizes:
    """Seconds of each measurement, or the number of requests after which it ends."""

    posting: float = 8.0
    straightforward: float = 15.0
    sustained: float = 60.0
    empty_actor: float = 6.0
    batches: int = 800
    changes: int = 100
    idle: float = 10.0


QUICK = Sizes(4.0, 5.0, 10.0, 2.0, 60, 30, 5.0)


def measure_ingest(sizes: Sizes) -> list[Figure]:
    """Measure the path of an event.

    Raises:
        EventsLost: an event was accepted and is not stored.
    """
    progress = Progress(4 * sizes.posting + sizes.straightforward + sizes.sustained + 110)
    with progress.started(), running_stage(companies=COMPANIES, events=EVENTS) as stage:
        run = _Run(stage, sizes, progress)
        return [
            *run.accepting(),
            *run.working(),
            *run.whole_path(),
            *run.batches(),
            *run.idle(),
            *run.tenants(),
        ]


class _Run:
    def __init__(self, stage: Stage, sizes: Sizes, progress: Progress) -> None:
        self._stage = stage
        self._sizes = sizes
        self._step = progress.step
        self._offer = Offer(
            stage.product.port,
            stage.traffic(*CUSTOMERS, companies=COMPANIES),
            seconds=sizes.posting,
            warm_up=WARM_UP,
        )

    def accepting(self) -> list[Figure]:
        """Measure the ingress alone, and a view that does nothing."""
        with self._step("An empty view", self._sizes.posting + 2):
            view = empty_view(self._stage, self._offer)
        with self._step("The ingress alone", self._sizes.posting + 2):
            outcome = self._stage.post(self._offer)
        self._view_per_second = view.per_second
        ratio = outcome.per_second / view.per_second
        return [
            Figure("an empty Flask view", view.per_second, "requests/s"),
            Figure("ingress alone", outcome.per_second, "requests/s", "empty view", ratio, 0.6),
            *_latencies("ingress alone", outcome),
            *_refused("ingress alone", outcome),
        ]

    def working(self) -> list[Figure]:
        """Measure the workers alone on the queued events, and an actor that does nothing."""
        stage, seconds = self._stage, self._sizes.empty_actor
        with self._step("An empty actor", seconds + 10):
            ceiling = empty_actor_per_second(stage, seconds=seconds)
        with self._step("The workers alone", 15):
            worked = stored_and_judged_per_second(stage)
        stage.check_nothing_lost("the workers alone")
        return [
            Figure("an empty actor, Dramatiq's broker", ceiling, "messages/s"),
            Figure("workers alone", worked, PER_SECOND, "empty actor", worked / ceiling, 0.6),
        ]

    def whole_path(self) -> list[Figure]:
        """Measure everything together, and the straightforward implementation."""
        stage, sizes = self._stage, self._sizes
        with self._step("The straightforward implementation", sizes.straightforward + 10):
            copy_tables(stage)
            baseline = sustain_straightforward(
                stage, replace(self._offer, seconds=sizes.straightforward)
            )
        with self._step("The whole path", sizes.sustained + 10):
            whole = sustain(stage, replace(self._offer, seconds=sizes.sustained))
        stage.check_nothing_lost("the whole path")
        to_view = whole.per_second / self._view_per_second
        to_baseline = whole.per_second / baseline.per_second
        return [
            Figure("straightforward implementation", baseline.per_second, PER_SECOND),
            Figure("whole path", whole.per_second, PER_SECOND, "empty view", to_view, 0.25),
            Figure("whole path", whole.per_second, PER_SECOND, "straightforward", to_baseline, 4),
            *_latencies("whole path", whole.outcome),
            *_refused("whole path", whole.outcome),
            *_resources(whole),
        ]

    def batches(self) -> list[Figure]:
        """Measure batches of a hundred events, and inserting the same rows with nothing else."""
        stage = self._stage
        traffic = replace(self._offer.traffic, batch=BATCH)
        offer = replace(self._offer, traffic=traffic, seconds=600.0, requests=self._sizes.batches)
        if 404 in stage.post(replace(offer, requests=2)).answers:
            click.echo("There is no /v1/track/batch, so batches are not measured.", err=True)
            return []
        with self._step("Batches", 10):
            batched, since = batches_per_second(stage, offer)
        stage.check_nothing_lost("batches")
        with self._step("Bare inserts", 3):
            bare = bare_inserts_per_second(stage, since, connections=1)
        return [
            Figure("bare inserts", bare, "rows/s"),
            Figure("batches of 100", batched, PER_SECOND, "bare inserts", batched / bare, 0.5),
        ]

    def idle(self) -> list[Figure]:
        """Measure single changes of an idle product, and its CPU without any work."""
        sizes = self._sizes
        with self._step("Idle", sizes.idle + 0.2 * sizes.changes + 5):
            idle = measure_idle(self._stage, changes=sizes.changes, seconds=sizes.idle)
        self._stage.check_nothing_lost("changes one by one")
        name = "idle: from 200 to webhook"
        return [
            Figure(f"{name}, p50", idle.p50_ms, "ms", target=100, at_most=True),
            Figure(f"{name}, p99", idle.p99_ms, "ms", target=500, at_most=True),
            Figure("idle: CPU", idle.cpu_percent, "% of a core", target=3, at_most=True),
        ]

    def tenants(self) -> list[Figure]:
        """Measure a quiet organization alone, and beside one that floods."""
        stage = self._stage
        stage.add_organization(
            FLOODER, "--rate-limit", f"{FLOODER_PER_SECOND}/second", companies=1_000, events=1_000
        )
        seconds = self._sizes.posting / 2
        with self._step("A flooding tenant", 6 * seconds + 12):
            p99 = measure_tenants(stage, seconds=seconds)
        with self._step("A flood of batches", 0.2 * self._sizes.changes + 10):
            dwell_ms = measure_dwell(stage, changes=self._sizes.changes)
        stage.check_nothing_lost("a flood")
        name, ratio = "a quiet tenant's p99", p99.beside_ms / p99.alone_ms
        return [
            Figure(f"{name}, alone", p99.alone_ms, "ms"),
            Figure(f"{name}, beside a flood", p99.beside_ms, "ms", "alone", ratio, 2, True),
            Figure(f"{name} from 200 to webhook", dwell_ms, "ms", target=1_000, at_most=True),
        ]


def _latencies(name: str, outcome: Outcome) -> list[Figure]:
    return [
        Figure(f"{name}, p{percent}", percentile(outcome.latencies_ms, percent), "ms")
        for percent in (50, 95, 99)
    ]


def _refused(name: str, outcome: Outcome) -> list[Figure]:
    refused = outcome.answers.total() - outcome.answers[200]
    return [Figure(f"{name}, not answered with 200", refused, "requests", target=0, at_most=True)]


def _resources(whole: Sustained) -> list[Figure]:
    """Return CPU per event by type of process, and memory without PostgreSQL's shared memory."""
    events = whole.outcome.accepted.total()
    cpu_seconds = {
        name: used.cpu_seconds - whole.before[name].cpu_seconds
        for name, used in whole.after.items()
    } | {"load generator": whole.outcome.cpu_seconds}
    figures = [
        Figure(f"CPU of {name}", seconds / events * 1e6, "µs/event")
        for name, seconds in cpu_seconds.items()
        if seconds
    ]
    before, after = (
        sum(used.memory_mb for name, used in usage.items() if name not in ("postgres", "redis"))
        for usage in (whole.before, whole.after)
    )
    return [
        *figures,
        Figure("memory of the Python processes, before", before, "MB"),
        Figure("... and after", after, "MB", "before", after / before, 1.1, at_most=True),
    ]
