"""Signals to a running product as systemd, a terminal or a script sends them: to every process."""

import random
import signal
import time

import psutil

from tests.support.product.brazebee_process import Brazebee

SERVERS = ("redis", "postgres")


def process_group(brazebee: Brazebee) -> list[psutil.Process]:
    """Return `brazebee up` and its processes with their workers, without the embedded servers."""
    assert brazebee.process is not None
    group = [psutil.Process(brazebee.process.pid)]
    for name, pid in brazebee.pids().items():
        if name not in SERVERS:
            group += with_workers(pid)
    return group


def with_workers(pid: int) -> list[psutil.Process]:
    """Return a process of the Procfile and its workers."""
    leader = psutil.Process(pid)
    return [leader, *leader.children(recursive=True)]


def signal_all(processes: list[psutil.Process], times: int, seed: int) -> None:
    """Signal every process several times in quick succession, in another order each time."""
    randomly = random.Random(seed)
    for _ in range(times):
        number = randomly.choice([signal.SIGTERM, signal.SIGINT])
        for process in randomly.sample(processes, len(processes)):
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        time.sleep(randomly.choice([0.0, 0.001, 0.05, 0.5]))
