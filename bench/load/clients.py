"""Runs several clients of `bench.load.generator`, and pauses and resumes them."""

import pickle
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Self

from bench.load.generator import GO, PAUSE, Offer, Outcome

PROCESSES = 2
TICK_SECONDS = 0.05


class Clients:
    """Clients that post the same kind of traffic; a context manager that ends them."""

    def __init__(self, offer: Offer, processes: int = PROCESSES) -> None:
        """Split the requests and the rate of an offer between processes."""
        share = replace(
            offer,
            requests=offer.requests and offer.requests // processes,
            per_second=offer.per_second and offer.per_second / processes,
        )
        self._offers = [replace(share, seed=offer.seed + n) for n in range(processes)]
        self._paused = False

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
            self._send(process, pickle.dumps(offer))
        for process in self._processes:
            if process.stdout is None or process.stdout.read(6) != b"ready\n":
                raise RuntimeError("a client of the load generator did not start; see above")
        for process in self._processes:
            self._send(process, GO)
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self._processes:
            process.terminate()
            process.communicate()

    def set_paused(self, *, paused: bool) -> None:
        """Pause or resume the clients that have not finished."""
        if paused != self._paused:
            self._paused = paused
            for process in self._processes:
                with suppress(BrokenPipeError):
                    self._send(process, PAUSE if paused else GO)

    def outcome(self, on_tick: Callable[[Self], object] | None = None) -> Outcome:
        """Wait until all clients have finished; meanwhile, call `on_tick` about every 0.1 s."""
        waiting = [process.stdout for process in self._processes if process.stdout]
        while on_tick and len(select.select(waiting, [], [], TICK_SECONDS)[0]) < len(waiting):
            on_tick(self)
            time.sleep(TICK_SECONDS)
        outcome = Outcome()
        for process in self._processes:
            if process.stdout is None:
                raise RuntimeError("a client without output")
            outcome.add(pickle.loads(process.stdout.read()))  # noqa: S301 -- our own child
        return outcome

    @staticmethod
    def _send(process: subprocess.Popen[bytes], text: bytes) -> None:
        if process.stdin is not None:
            process.stdin.write(text)


def run_clients(
    offer: Offer,
    processes: int = PROCESSES,
    on_tick: Callable[[Clients], object] | None = None,
) -> Outcome:
    """Post an offer, and wait until it ends."""
    with Clients(offer, processes) as clients:
        return clients.outcome(on_tick)
