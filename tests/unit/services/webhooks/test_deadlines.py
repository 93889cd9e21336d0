"""Attempts whose time is up are ended, one after another."""

import socket
import threading
import time
from datetime import timedelta

from config.webhook_policy import WebhookPolicy
from services.webhooks.deadlines import Deadline

POLICY = WebhookPolicy(timeout=timedelta(seconds=0.2))
ATTEMPTS = 8


def test_many_whose_time_is_up_at_once_end_one_after_another() -> None:
    ending, most_ending, ended = 0, 0, 0
    lock = threading.Lock()
    deadlines = [Deadline(POLICY) for _ in range(ATTEMPTS)]

    def wait(deadline: Deadline) -> None:
        nonlocal ending, most_ending, ended
        ours, theirs = socket.socketpair()
        with ours, theirs:
            deadline.watch(ours)
            assert ours.recv(1) == b""  # it was shut down
            with lock:
                ending += 1
                most_ending = max(most_ending, ending)
            time.sleep(0.01)  # as an attempt that ends with an exception
            with lock:
                ending -= 1
                ended += 1
            deadline.cancel()

    threads = [threading.Thread(target=wait, args=(deadline,)) for deadline in deadlines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert (ended, most_ending) == (ATTEMPTS, 1)


def test_an_attempt_that_does_not_end_delays_the_next_only_a_moment() -> None:
    stuck, other = Deadline(POLICY), Deadline(POLICY)
    pairs = [socket.socketpair() for _ in range(2)]
    for deadline, (ours, _) in zip((stuck, other), pairs, strict=True):
        ours.settimeout(5)
        deadline.watch(ours)
    assert [ours.recv(1) for ours, _ in pairs] == [b"", b""]
    for deadline, pair in zip((stuck, other), pairs, strict=True):
        deadline.cancel()
        for end in pair:
            end.close()
