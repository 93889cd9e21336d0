"""Real processes that use the client, and end in every way."""

import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from brazebee_client import Client

from tests.support.clients.applications import PYTHON, Applications
from tests.support.clients.recorder import Recorder, Reply
from tests.support.product.brazebee_process import eventually

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def applications(recorder: Recorder, spool: Path) -> Applications:
    return Applications(PYTHON, recorder.url, "bzb_key", spool)


def send_the_rest(applications: Applications, recorder: Recorder) -> list[str]:
    """Run one more application, wait until nothing is left, and return its ids."""
    client = Client(recorder.url, "k", spool_dir=applications.spool, flush_interval=0.02)
    own = client.track("login", company={"id": "acme", "name": "Acme"})
    eventually(
        lambda: client.flush(1) and len(list(applications.spool.glob("py-*"))) <= 1, seconds=20
    )
    client.close()
    return [own]


@pytest.mark.parametrize("form", ["to_its_end", "at_exit", "in_threads"])
def test_an_application_that_ends_by_itself_has_sent_everything(
    applications: Applications, recorder: Recorder, form: str
) -> None:
    ids = applications.run(form, 150)
    assert sorted(recorder.accepted_ids) == sorted(ids)
    assert list(applications.spool.iterdir()) == []


def test_the_end_of_an_application_is_not_delayed_by_a_server_that_is_gone(
    recorder: Recorder, spool: Path
) -> None:
    applications = Applications(PYTHON, NOWHERE, "bzb_key", spool)
    before = time.monotonic()
    ids = applications.run("to_its_end", 10)
    assert time.monotonic() - before < 4  # of five seconds that it may wait
    send_the_rest(applications, recorder)
    assert set(ids) <= set(recorder.accepted_ids)


@pytest.mark.parametrize("form", ["in_forks", "in_pool"])
def test_forks_lose_nothing_and_send_nothing_twice(
    applications: Applications, recorder: Recorder, form: str
) -> None:
    ids = applications.run(form, 100)
    rest = send_the_rest(applications, recorder)
    assert sorted(recorder.accepted_ids) == sorted(ids + rest)


@pytest.mark.thorough
def test_killed_applications_lose_no_event_of_which_the_call_returned(
    applications: Applications, recorder: Recorder
) -> None:
    randomly = random.Random(19)
    ids = [i for _ in range(5) for i in applications.run_until_killed(randomly)]
    ids += applications.run("without_sending", 20)
    send_the_rest(applications, recorder)
    accepted = recorder.accepted_ids
    assert len(ids) > 25
    assert set(ids) - set(accepted) == set()
    assert len(accepted) - len(set(accepted)) <= 5 * 100  # the batch whose answer was cut off


def test_a_sigterm_keeps_what_is_not_sent_yet(recorder: Recorder, spool: Path) -> None:
    applications = Applications(PYTHON, NOWHERE, "bzb_key", spool)
    with applications.begin("endless") as process:
        assert process.stdout is not None
        first = process.stdout.readline().decode().strip()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    send_the_rest(applications, recorder)
    assert first in recorder.accepted_ids


def test_two_processes_with_one_spool_send_every_event_once(
    applications: Applications, recorder: Recorder
) -> None:
    recorder.answers = lambda _: time.sleep(0.01)  # so that both have something to send
    with applications.begin("to_its_end", 400) as one, applications.begin("to_its_end", 400) as two:
        outputs = [process.communicate(timeout=60)[0] for process in (one, two)]
    ids = b"".join(outputs).decode().split()
    assert len(ids) == 800
    rest = send_the_rest(applications, recorder)
    assert sorted(recorder.accepted_ids) == sorted(ids + rest)


def test_a_process_that_lives_keeps_its_events_for_itself(
    applications: Applications, recorder: Recorder
) -> None:
    recorder.answers = lambda _: Reply(503, {"error": "Not now"}, {"Retry-After": "60"})
    with applications.begin("endless") as process:
        assert process.stdout is not None
        first = process.stdout.readline().decode().strip()
        eventually(lambda: recorder.requests)
        process.send_signal(signal.SIGSTOP)
        recorder.answers = None
        other = Client(recorder.url, "k", spool_dir=applications.spool, flush_interval=0.02)
        other.track("login", company={"id": "acme", "name": "Acme"})
        assert other.flush(60)
        time.sleep(0.1)
        assert first not in recorder.accepted_ids
        process.send_signal(signal.SIGKILL)
        process.stdout.read()
    eventually(lambda: first in recorder.accepted_ids)
    other.close()


SENDING = """
import sys
from brazebee_client import Client
before = set(sys.modules)
client = Client()
for n in range(50):
    client.track("login", company={"id": "acme", "name": "Acme"})
client.identify({"id": "ada"}, {"id": "acme", "plan": "pro"})
assert client.flush()
print(*set(sys.modules) - before)
"""


def test_sending_imports_nothing(applications: Applications, recorder: Recorder) -> None:
    """A fork while a thread imports a module leaves the child without it, for good."""
    applications.command = [sys.executable, "-c", SENDING]
    assert applications.run("", 0) == []
    assert len(recorder.accepted) == 52


class Interrupted(Exception):
    """Raised by the handler of a signal, as SystemExit is when a server stops its workers."""


# What a handler raises in the callback of a weak reference is ignored by Python, with a warning.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_signals_whose_handlers_raise_or_record_lose_nothing(
    client: Client, recorder: Recorder
) -> None:
    randomly = random.Random(19)
    ids: list[str] = []
    handled = 0

    def track() -> None:
        ids.append(client.track("login", company={"id": "acme", "name": "Acme"}))

    def handle(number: int, frame: object) -> None:
        nonlocal handled
        handled += 1
        if handled % 2:
            raise Interrupted
        track()

    before = signal.signal(signal.SIGALRM, handle)
    try:
        while handled < 300:
            seen = handled
            with suppress(Interrupted):
                signal.setitimer(signal.ITIMER_REAL, randomly.uniform(1e-6, 1e-4))  # once
                while handled == seen:
                    track()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert client.flush(60)
    assert set(ids) - set(recorder.accepted_ids) == set()
    assert client.statistics.not_on_disk == 0
