"""Stopping: in order and in time, however many signals come to every process."""

import time
from pathlib import Path

import pytest

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.signals import process_group, signal_all
from tests.support.product.tenant import REPORTS
from tests.support.webhooks.receiver import Receiver

STOP_SECONDS = 10.0


def stop(brazebee: Brazebee, seed: int) -> float:
    """Stop with three signals to every process; return how many seconds it took."""
    process = brazebee.process
    assert process is not None
    began = time.monotonic()
    signal_all(process_group(brazebee), 3, seed)
    assert process.wait(60) == 0, brazebee.text
    brazebee.process = None
    return time.monotonic() - began


def in_flight(brazebee: Brazebee, receiver: Receiver, rules: Path, takes_seconds: float) -> None:
    """Start, and cause a webhook whose receiver takes so long."""
    rules.write_text(REPORTS)
    receiver.takes_seconds = takes_seconds
    brazebee.start("--rules", str(rules))
    assert brazebee.run("webhooks", "add", receiver.url).returncode == 0
    brazebee.track({"event_key": "report", "company": {"id": "a", "name": "A"}})
    eventually(lambda: brazebee.query("select from deliveries where lease_token is not null"))


@pytest.mark.thorough
@pytest.mark.timeout(120)
def test_a_webhook_in_flight_is_finished_and_does_not_come_again(
    own_brazebee: Brazebee, receiver: Receiver, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    in_flight(own_brazebee, receiver, rules, 1.5)
    assert stop(own_brazebee, seed=1) < STOP_SECONDS
    own_brazebee.start("--rules", str(rules), web=1, persist=0, evaluate=0, dashboard=0)
    assert own_brazebee.query("select state, tries from deliveries") == [("delivered", 1)]
    assert receiver.received.qsize() == 1


@pytest.mark.thorough
@pytest.mark.timeout(120)
def test_a_webhook_without_an_answer_is_handed_back_and_sent_at_the_next_start(
    own_brazebee: Brazebee, receiver: Receiver, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    in_flight(own_brazebee, receiver, rules, 14.0)
    assert stop(own_brazebee, seed=2) < STOP_SECONDS
    receiver.takes_seconds = 0.0
    own_brazebee.start("--rules", str(rules), web=1, persist=0, evaluate=0, dashboard=0)
    stored = "select state, tries, attempts from deliveries"
    eventually(lambda: own_brazebee.query(stored) == [("delivered", 2, 1)])
    errors = [error for (error,) in own_brazebee.query("select error from delivery_attempts")]
    assert sorted(errors, key=str) == ["Brazebee was stopped before an answer came", None]


@pytest.mark.timeout(60)
def test_a_stop_during_the_start_is_no_failure(own_brazebee: Brazebee) -> None:
    own_brazebee.begin(persist=0, evaluate=0, deliver=0, clock=0, dashboard=0)
    eventually((own_brazebee.data_dir / "processes.json").exists)
    assert own_brazebee.stop() == 0
