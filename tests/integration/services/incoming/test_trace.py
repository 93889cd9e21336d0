"""What became of one event, wherever it is."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis

from config.settings import Settings
from models.database import execute, transaction
from models.events import rejected_events, waiting_records
from models.events.waiting_records import NewWaitingRecord
from models.keys import api_keys
from queues.admissions import AdmissionRequest, Admissions, RateWindow
from queues.lanes import search
from queues.refused.requests import RefusedRequests
from services.events.set_aside import set_aside
from services.incoming.trace import State, Step, Trace, trace
from services.rules.rule_books import RuleBooks
from tests.support.ingress.refusals import refusal
from tests.support.world import World


class Traced:
    """A world, the Redis of its journal, and traces of its events."""

    def __init__(self, world: World, client: redis.Redis) -> None:
        self.world, self.client = world, client

    def trace(self, event_id: str) -> Trace:
        return trace(self.world.id, event_id, self.client, RuleBooks(), self.world.now)

    def steps(self, event_id: str) -> list[str]:
        return [step.title for step in self.trace(event_id).steps]

    def step(self, event_id: str, title: str) -> Step:
        return next(step for step in self.trace(event_id).steps if step.title == title)

    def accept(self, event_id: str, company: str | None = "acme", **changes: Any) -> None:
        """Append an event to the journal, as the ingress does."""
        event = {
            "organization_id": self.world.id,
            "key_id": None,
            "event_id": event_id,
            "event_key": "login",
            "company": None if company is None else {"id": company, "name": company},
            "user": {"id": "ann"},
            "data": None,
            "occurred_at": self.world.now,
            "received_at": self.world.now,
        } | changes
        window = RateWindow(self.world.id, 100_000, 3600)
        Admissions(self.client).admit(AdmissionRequest(window, [event]))


@pytest.fixture
def traced(world: World, settings: Settings) -> Iterator[Traced]:
    with redis.Redis.from_url(settings.redis_url) as client:
        yield Traced(world, client)


def test_an_unknown_event_has_no_steps(traced: Traced) -> None:
    traced.world.track("acme", event_id="e1")
    assert traced.trace("e2") == Trace("e2", [])
    other = World.create()
    other.track("acme", event_id="e3")
    assert traced.trace("e3").steps == []


def test_a_stored_event_is_followed_to_the_deliveries(traced: Traced, settings: Settings) -> None:
    world = traced.world
    world.subscribe(settings)
    world.track("acme", 0, event_id="e0", user="ann", data={"n": 1})
    assert traced.steps("e0") == ["Received", "Stored", "Not judged yet"]
    world.track("acme", 3, event_id="e1")
    world.judge("acme", 10)
    found = traced.trace("e0")
    assert (found.event_key, found.company, found.user) == ("login", "acme", "ann")
    titles = [step.title for step in found.steps]
    assert titles[:5] == ["Received", "Stored", "Judged", "Changed", "Delivery"]
    changed = found.steps[3]
    assert (changed.at, changed.text) == (
        world.at(0),
        "Healthy → At Risk: Logs in from N/A to At Risk",
    )
    delivery = found.steps[4]
    assert (delivery.state, delivery.page) == (State.WAITING, "delivery")
    assert delivery.text == "Webhook health_score_changed is parked"
    later = [step for step in found.steps if step.title == "Later change"]
    assert [step.at for step in later] == [world.at(3), world.at(10)]
    assert "caused by time; a flag that counts the event changed" in later[1].text
    assert "the event counts for Logs in" in traced.step("e0", "Judged").text


def test_an_event_that_no_flag_counts_says_so(traced: Traced) -> None:
    traced.world.track("acme", event_id="e0", key="other")
    traced.world.judge()
    assert traced.step("e0", "Judged").text.endswith(", and no flag counts it")


def test_an_event_that_came_late_says_what_that_means(traced: Traced) -> None:
    traced.world.track("acme", -3600, received=0, event_id="e0")
    received = traced.step("e0", "Received")
    assert received.at == traced.world.at(0)
    assert "otherwise it changes nothing before it came" in received.text


def test_without_rules_nothing_is_judged(settings: Settings) -> None:
    world = World.create(None)
    world.track("acme", event_id="e0")
    with redis.Redis.from_url(settings.redis_url) as client:
        assert Traced(world, client).steps("e0") == ["Received", "Stored", "Not judged"]


def test_a_company_is_not_judged_past_events_that_wait(traced: Traced) -> None:
    traced.world.track("acme", event_id="e0")
    traced.accept("e1")
    step = traced.step("e0", "Not judged yet")
    assert step.text.startswith("1 accepted events of its part of the journal are not stored yet")


def test_an_event_in_the_journal_waits(traced: Traced) -> None:
    with transaction():
        api_keys.create(traced.world.id, "Shop")
        [key] = api_keys.list_for_organization(traced.world.id)
    traced.accept("e1", key_id=key.id)
    found = traced.trace("e1")
    assert (found.event_key, found.company, found.user) == ("login", "acme", "ann")
    assert [step.title for step in found.steps] == ["Received", "Waiting"]
    assert found.steps[0].text.startswith(f"It was accepted with the key Shop ({key.masked})")
    assert found.steps[1].state == State.WAITING


def test_an_event_of_a_user_without_a_company_waits_for_it(traced: Traced) -> None:
    traced.accept("e1", company=None)
    assert "for the company of its user" in traced.step("e1", "Waiting").text
    traced.client.flushdb()
    record = NewWaitingRecord(
        "ann", "login", "e1", traced.world.at(0), traced.world.at(5), [b"1", b"{}"]
    )
    with transaction():
        waiting_records.add(traced.world.id, [record])
    found = traced.trace("e1")
    assert (found.event_key, found.company, found.user) == ("login", None, "ann")
    assert [step.title for step in found.steps] == ["Received", "Waiting for its company"]
    assert found.steps[0].at == traced.world.at(5)
    assert "names the user together with the company" in (found.steps[1].advice or "")


def test_no_company_is_judged_past_what_names_none(traced: Traced) -> None:
    traced.world.track("acme", event_id="e0")
    traced.accept("e1", company=None)
    assert traced.step("e0", "Not judged yet").text.startswith("1 accepted events")


def test_a_long_journal_is_searched_in_part_and_says_so(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "AT_ONCE", 3)
    for number in range(20):
        traced.accept(f"e{number}")
    assert traced.steps("e0") == ["Received", "Waiting"]
    monkeypatch.setattr(search, "MOST_SEARCHED", 10)
    found = traced.trace("e0")
    assert found.steps == []
    assert (found.incomplete or "").startswith("20 accepted events wait to be stored")
    assert traced.steps("e19") == ["Received", "Waiting"]


def test_a_refused_event_is_found_by_its_id_and_by_its_number(traced: Traced) -> None:
    requests = RefusedRequests(traced.client)
    with transaction():
        api_keys.create(traced.world.id, "Shop")
        [key] = api_keys.list_for_organization(traced.world.id)
    requests.note(traced.world.id, [refusal(event_id="e1", key_id=key.id)], traced.world.now)
    [kept] = requests.page(traced.world.id, traced.world.now)
    for name in ("e1", kept.id):
        [step] = traced.trace(name).steps
        assert (step.title, step.state, step.subject) == ("Refused", State.FAILED, kept.id)
        assert "answered 400 to the key Shop" in step.text
        assert f"brazebee events resend {kept.id}" in (step.advice or "")
    traced.world.track("acme", event_id="e1")
    assert traced.steps("e1")[:3] == ["Refused", "Received", "Stored"]


def test_an_event_that_is_set_aside_says_how_to_store_it(traced: Traced) -> None:
    with transaction():
        set_aside(traced.world.id, (b"1", b'{"event_id": "e1"}'), "DataError: no\nDETAIL: x")
        number = rejected_events.latest_id(traced.world.id)
    [step] = traced.trace("e1").steps
    assert (step.title, step.text) == (
        "Set aside",
        "It was accepted and could not be stored: DataError: no",
    )
    assert (
        step.advice == f"Once the cause is mended, store it with: brazebee rejected retry {number}"
    )


def test_attempts_of_a_delivery_are_told(traced: Traced, settings: Settings) -> None:
    world = traced.world
    world.subscribe(settings)
    world.track("acme", 0, event_id="e0")
    world.judge("acme", 1)
    with transaction():
        execute(
            "insert into delivery_attempts (organization_id, delivery_id, attempt, at, duration_ms,"
            " status_code, error) select organization_id, id, 1, %(at)s, 5, 500, 'HTTP 500'"
            " from deliveries where organization_id = %(id)s",
            {"id": world.id, "at": world.now + timedelta(seconds=2)},
        )
    assert "after 1 attempt, the last with answer 500" in traced.step("e0", "Delivery").text
