"""`python -m fuzz`: sends hostile inputs to a running product and reports what they did."""

import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import click
from tabulate import tabulate

from fuzz.exchange import Answer, exchange
from fuzz.kinds import Kind, to_dashboard, to_formats, to_ingress
from fuzz.target import Target, running_target
from fuzz.verdict import faults_of_workers, grown, memory_of, processes_of

KINDS = (*to_ingress.KINDS, *to_formats.KINDS, *to_dashboard.KINDS)
CLIENTS = 4
SHOWN = 20
WARM = 20_000
"""From so many inputs on, caches are filled after half of them, and memory must not grow then."""


@dataclass
class Results:
    """What came back for a kind of inputs."""

    statuses: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def add(self, name: str, answer: Answer) -> None:
        """Add the answer to the input with this name."""
        self.statuses[f"{answer.statuses[0] // 100}xx" if answer.statuses else "closed"] += 1
        self.slowest = max(self.slowest, answer.seconds)
        if answer.fault:
            self.faults.append(f"{name}: {answer.fault}")
        self.accepted.update(_accepted(answer))


@click.command()
@click.option("--inputs", default=100_000, show_default=True, help="Inputs of all kinds together.")
@click.option("--seed", default=1, show_default=True, help="Of the inputs.")
@click.option("--only", help="Only the inputs whose kind begins with this.")
@click.option("--show", type=int, help="Print the input with this number, and do nothing else.")
def main(inputs: int, seed: int, only: str | None, show: int | None) -> None:
    """Send hostile inputs; exit with 1 on a 5xx, a hang, a failed worker, or a lost event."""
    kinds = [kind for kind in KINDS if kind.name.startswith(only or "")]
    if not kinds:
        raise click.BadParameter(f"the kinds are: {', '.join(kind.name for kind in KINDS)}")
    with running_target() as target:
        if show is not None:
            for kind in kinds:
                click.echo(f"{kind.name}: {_make(target, kind, seed, show)!r}")
            return
        processes = processes_of(target)
        results: dict[str, Results] = {kind.name: Results() for kind in kinds}
        work = _work(kinds, inputs, seed)
        _send(target, islice(work, inputs // 2), seed, results)
        before = memory_of(target)
        _send(target, work, seed, results)
        accepted = set().union(*(found.accepted for found in results.values()))
        faults = faults_of_workers(target, processes, accepted)
        after = memory_of(target)
    if inputs >= WARM:
        faults += grown(before, after)
        for name, used in after.items():
            click.echo(f"memory of {name}: {before[name].memory_mb:.0f}, {used.memory_mb:.0f} MB")
    faults += [fault for found in results.values() for fault in found.faults]
    _report(results, faults, len(accepted))
    if faults:
        sys.exit(1)


def _work(kinds: Sequence[Kind], inputs: int, seed: int) -> Iterator[tuple[Kind, int]]:
    """Yield the kind and the number of each input, in a random order."""
    shares = sum(kind.share for kind in kinds)
    work = [
        (kind, number) for kind in kinds for number in range(round(inputs * kind.share / shares))
    ]
    random.Random(seed).shuffle(work)
    yield from work


def _make(target: Target, kind: Kind, seed: int, number: int) -> bytes:
    """Return an input. It depends on the keys, pages and forms of the target, and on no time."""
    return kind.make(target, random.Random(f"{seed} {kind.name} {number}"))


def _send(
    target: Target, work: Iterator[tuple[Kind, int]], seed: int, results: dict[str, Results]
) -> None:
    def send(kind: Kind, number: int) -> tuple[Kind, int, Answer]:
        port = target.product.port if kind.to_web else target.dashboard_port
        return kind, number, exchange(port, _make(target, kind, seed, number), kind.patience)

    with ThreadPoolExecutor(CLIENTS) as threads:
        for kind, number, answer in threads.map(lambda item: send(*item), work):
            results[kind.name].add(f"{kind.name} {number}", answer)


def _accepted(answer: Answer) -> Iterator[str]:
    """Yield the ids of events that a response accepts."""
    if 200 not in answer.statuses or b'"accepted' not in answer.data:
        return
    for part in answer.data.split(b"HTTP/1.1 ")[1:]:
        status, _, rest = part.partition(b" ")
        body = rest.partition(b"\r\n\r\n")[2]
        if status != b"200" or not body.startswith(b"{"):
            continue
        content = json.loads(body)
        if "event_id" in content:
            yield content["event_id"]
        for result in content.get("results", ()):
            if result["status"] == "accepted" and "event_id" in result:
                yield result["event_id"]


def _report(results: dict[str, Results], faults: Sequence[str], accepted: int) -> None:
    columns = ("2xx", "3xx", "4xx", "5xx", "closed")
    rows = [
        [name, found.statuses.total(), *(found.statuses[column] for column in columns),
         f"{found.slowest:.2f}"]
        for name, found in results.items()
    ]  # fmt: skip
    click.echo(tabulate(rows, headers=["inputs", "number", *columns, "slowest, s"], intfmt=","))
    click.echo(f"\n{accepted:,} events were accepted, and each of them is looked for.")
    for fault in faults[:SHOWN]:
        click.echo(f"FAULT {fault}")
    click.echo(f"{len(faults)} faults." if faults else "No faults.")


if __name__ == "__main__":
    main()
