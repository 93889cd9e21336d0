"""An application that tracks events and tells the id of each once the call has returned.

`tracking.py FORM NUMBER` takes the address, the key and the spool from the environment.
"""

import atexit
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable

from brazebee_client import Client

ACME = {"id": "acme", "name": "Acme"}


def client(interval: float = 0.02) -> Client:
    return Client(flush_interval=interval, exit_timeout=5.0)


def track(with_client: Client, number: int) -> None:
    """Track events, and write each id in one piece after its call has returned."""
    for n in range(number):
        event_id = with_client.track("login", company=ACME, data={"n": n, "of": os.getpid()})
        os.write(1, f"{event_id}\n".encode())


def endless(_: int) -> None:
    running = client()
    while True:
        track(running, 1_000)


def to_its_end(number: int) -> None:
    track(client(), number)


def steadily(number: int) -> None:
    running = client()
    for _ in range(number):
        track(running, 1)
        time.sleep(0.002)


def without_sending(number: int) -> None:
    """End before anything is sent."""
    track(client(interval=60.0), number)
    os._exit(0)


def at_exit(number: int) -> None:
    """Track when no thread can be started any more."""
    running = client()
    atexit.register(track, running, number)


def in_threads(number: int) -> None:
    running = client()
    threads = [threading.Thread(target=track, args=(running, number)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_forks(number: int) -> None:
    """Fork children while events are tracked and sent, as pre-fork servers do."""
    running = client()
    track(running, 10)
    parent = threading.Thread(target=track, args=(running, 4 * number))
    parent.start()
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            track(running, number)
            os._exit(0 if running.flush(10) else 1)
        children.append(pid)
    parent.join()
    if any(os.waitpid(pid, 0)[1] for pid in children):
        sys.exit("a child could not flush")


def in_pool(number: int) -> None:
    """Use multiprocessing, whose children end without their exit handlers."""
    running = client()
    track(running, 1)
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=track, args=(running, number)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


FORMS: dict[str, Callable[[int], None]] = {
    form.__name__: form
    for form in (
        endless,
        to_its_end,
        steadily,
        without_sending,
        at_exit,
        in_threads,
        in_forks,
        in_pool,
    )
}

if __name__ == "__main__":
    FORMS[sys.argv[1]](int(sys.argv[2]))
