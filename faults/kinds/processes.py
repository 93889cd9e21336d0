"""Processes that are killed or stopped for a while."""

import signal
import time
from functools import partial

from faults.product import KINDS
from faults.stage import Fault, Stage

BETWEEN_KILLS_SECONDS = 1.5
STOPPED_SECONDS = 5.0


def _kill(stage: Stage, kind: str, times: int) -> None:
    for _ in range(times):
        stage.product.signal(kind, signal.SIGKILL)
        time.sleep(BETWEEN_KILLS_SECONDS)


def _kill_most(stage: Stage) -> None:
    """Kill all but `deliver`: the lease of an attempt in progress lasts a minute."""
    for kind in KINDS.keys() - {"deliver"}:
        _kill(stage, kind, 1)


def _stop(stage: Stage, kind: str) -> None:
    workers = stage.product.workers(kind)[:1]
    for worker in workers:
        worker.suspend()
    time.sleep(STOPPED_SECONDS)
    for worker in workers:
        worker.resume()


FAULTS = [
    Fault("a process of most kinds killed", _kill_most, brief=True),
    *(Fault(f"{kind} killed three times", partial(_kill, kind=kind, times=3)) for kind in KINDS),
    *(
        Fault(f"a process of {kind} stopped for {STOPPED_SECONDS:g} s", partial(_stop, kind=kind))
        for kind in ("persist", "evaluate", "clock")
    ),
]
