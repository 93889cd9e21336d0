"""Runs tasks in parallel, in one process for each processor of this machine."""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

from config.settings import Settings
from models.database import connect

Task = TypeVar("Task")
Result = TypeVar("Result")


def on_every_processor(
    settings: Settings, work: Callable[[Task], Result], tasks: Sequence[Task]
) -> Iterator[Result]:
    """Run tasks in processes that are connected to PostgreSQL; yield results as they finish.

    `work` and the tasks are pickled, so `work` must be a function of a module.

    Raises:
        OperationalError: PostgreSQL cannot be reached.
        BrokenProcessPool: a worker process was killed.
    """
    processes = ProcessPoolExecutor(
        max_workers=max(1, min(len(tasks), os.cpu_count() or 1)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare,
        initargs=(settings,),
    )
    try:
        submitted = [processes.submit(work, task) for task in tasks]
        for done in as_completed(submitted):
            yield done.result()
    finally:
        processes.shutdown(cancel_futures=True)


_PR_SET_PDEATHSIG = 1
"""From `linux/prctl.h`."""


def _prepare(settings: Settings) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the parent process
    if sys.platform == "linux":  # else it would wait for tasks although its parent was killed
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    connect(settings)
