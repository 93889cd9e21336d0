"""Runs the clients of `bench.load.generator` side by side, and holds them back when told to."""

import pickle
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from bench.load.generator import GO, PAUSE, Offer, Outcome

PROCESSES = 2
LOOK_SECONDS = 0.05


class Clients:
    """Clients that post the same kind of traffic; a context manager that ends them."""

    def __init__(self, offer: Offer, processes: int = PROCESSES) -> None:
        """Each process gets its share of the offer's requests and rate, and all of the rest."""
        share = replace(
            offer,
            requests=offer.requests and offer.requests // processes,
            per_second=offer.per_second and offer.per_second / processes,
        )
        self._offers = [replace(share, seed=offer.seed + n) for n in range(processes)]
        self._open = True

    def __enter__(self) -> Self:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.load.generator"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
            for _ in self._offers
        ]
        for process, offer in zip(self._processes, self._offers, strict=True):
            self._tell(process, pickle.dumps(offer))
        for process in self._processes:
            if process.stdout is None or process.stdout.read(6) != b"ready\n":
                raise RuntimeError("a client of the load generator did not start; see above")
        for process in self._processes:
            self._tell(process, GO)
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self._processes:
            process.terminate()
            process.communicate()

    def hold(self, back: bool) -> None:  # noqa: FBT001 -- reads well: hold(back=...)
        """Have them send no more for now, or go on."""
        if self._open == back:
            self._open = not back
            for process in self._processes:
                self._tell(process, PAUSE if back else GO)

    def outcome(self, look: Callable[[Self], object] | None = None) -> Outcome:
        """Wait until they are through; `look` is called with them every moment meanwhile."""
        waiting = [process.stdout for process in self._processes if process.stdout]
        while look and len(select.select(waiting, [], [], LOOK_SECONDS)[0]) < len(waiting):
            look(self)
            time.sleep(LOOK_SECONDS)
        outcome = Outcome()
        for process in self._processes:
            if process.stdout is None:
                raise RuntimeError("a client without output")
            outcome.add(pickle.loads(process.stdout.read()))  # noqa: S301 -- our own child
        return outcome

    @staticmethod
    def _tell(process: subprocess.Popen[bytes], text: bytes) -> None:
        if process.stdin is not None:
            process.stdin.write(text)


def run_clients(
    offer: Offer,
    processes: int = PROCESSES,
    look: Callable[[Clients], object] | None = None,
) -> Outcome:
    """Post an offer and wait for its end."""
    with Clients(offer, processes) as clients:
        return clients.outcome(look)
