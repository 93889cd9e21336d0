from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
import redis

from actors import due_companies as due_companies_module
from config.settings import Settings
from config.webhook_policy import LEASE
from models.database import execute, transaction
from models.organizations import organizations
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import Attempt, Result, State
from queues import messages
from services.health.overrides import FlagOfCompany, JudgingContext, Justification, snooze
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from tests.support.clocks import (
    POLICY,
    RecordingBroker,
    Ticking,
    judge,
    new_organization,
    track,
    wait_in_journal,
)
from tests.support.evaluations import FEW_LOGINS
from tests.support.webhooks.endpoints import claim_try, message_of
from tests.support.world import MICROSECOND, START, after

pytestmark = pytest.mark.usefixtures("settings")


SOON = 0.6
"""Seconds after which due work must have been enqueued, to be evaluated within one second."""


def new_delivery(settings: Settings) -> UUID:
    """Write a delivery at `START`."""
    organization_id = new_organization()
    with transaction():
        webhook_endpoints.add(
            organization_id, "https://example.com/hook", secret_keys=settings.secret_keys
        )
    [delivery_id] = judge(track(organization_id, 0), 0)
    return delivery_id


def test_nothing_is_enqueued_unless_it_is_due(ticking: Ticking) -> None:
    assert ticking.at(0) == []
    judge(track(new_organization(), 0, 1), 1)
    assert ticking.at(1) == []


def test_a_flag_is_not_enqueued_before_it_is_due_and_then_in_time_to_be_evaluated_within_a_second(
    ticking: Ticking,
) -> None:
    company_id = track(new_organization(), 0.5, 1)
    judge(company_id, 1)
    assert ticking.at(10.5 - MICROSECOND) == []
    assert ticking.at(10.5 + SOON) == [f"evaluate({company_id})"]


def test_a_company_is_enqueued_again_only_if_it_is_still_due_after_a_second(
    ticking: Ticking,
) -> None:
    company_id = track(new_organization(), 0, 1)
    judge(company_id, 1)
    assert ticking.at(11) == [f"evaluate({company_id})"]
    for seconds in (11, 11.2, 12 - MICROSECOND):
        assert ticking.at(seconds) == []
    assert ticking.at(12) == [f"evaluate({company_id})"]
    assert ticking.at(12.8) == []
    judge(company_id, 12.8)
    assert ticking.at(60) == []


def test_a_flag_due_soon_after_another_of_its_company_is_not_late(ticking: Ticking) -> None:
    rules = """
version: 1
events: {login: }
flags:
  - {flag: A, event: login, when: {At Risk: no activity for 10 seconds}}
  - {flag: B, event: login, when: {Critical: no activity for 12 seconds}}
"""
    company_id = track(new_organization(rules=rules), 0)
    judge(company_id, 0)
    assert ticking.at(10 + SOON) == [f"evaluate({company_id})"]
    judge(company_id, 10 + SOON)
    assert ticking.at(12 + SOON) == [f"evaluate({company_id})"]


def test_a_flag_due_again_soon_after_it_recovered_is_not_late(ticking: Ticking) -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0, 2)
    judge(company_id, 2)
    assert ticking.at(10 + SOON) == [f"evaluate({company_id})"]
    judge(company_id, 10 + SOON)
    track(organization_id, 11)
    judge(company_id, 11)
    assert ticking.at(12 + SOON) == [f"evaluate({company_id})"]


@pytest.mark.parametrize("fetched", [False, True])
def test_nothing_is_judged_past_the_oldest_event_that_is_not_stored(
    ticking: Ticking, brokers: Callable[[], RecordingBroker], *, fetched: bool
) -> None:
    organization_id = new_organization()
    sooner, later = (track(organization_id, at, at + 1, company=f"c{at}") for at in (0, 5))
    for company_id in (sooner, later):
        judge(company_id, 6)
    posted_at = round(after(12).timestamp() * 1000)
    worker = brokers()
    worker.enqueue(replace(messages.persist([]), message_timestamp=posted_at))
    consumer = worker.consume(messages.EVENTS, timeout=1)
    message = next(consumer) if fetched else None

    assert ticking.at(30) == [f"evaluate({sooner})"], "the other is due after the event"

    judge(sooner, 30)
    message = message or next(consumer)
    assert message is not None
    consumer.ack(message)
    assert ticking.at(30.2) == [f"evaluate({later})"]


def test_events_that_wait_hold_back_only_the_companies_of_their_partition(
    ticking: Ticking,
) -> None:
    here, elsewhere = new_organization("here"), new_organization("elsewhere")
    behind = track(here, 5, 6, company="acme")  # due at 15
    before = track(here, 0, 1, company="c1")  # in the same partition, due at 10
    beside = track(here, 5, 6, company="company_123")
    other = track(elsewhere, 5, 6, company="acme")
    for company_id in (behind, before, beside, other):
        judge(company_id, 6)
    wait_in_journal(ticking.broker.client, here, "acme", at=12)

    due = [f"evaluate({company_id})" for company_id in (before, beside, other)]
    assert sorted(ticking.at(20)) == sorted(due)
    ticking.broker.client.flushdb()
    assert ticking.at(20.2) == [f"evaluate({behind})"]


def test_many_due_companies_of_one_organization_delay_no_other(
    ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_companies_module, "CHUNK", 4)
    crowded, other = new_organization("crowded"), new_organization("other")
    theirs = [track(crowded, 0, 1, company=f"c{n}") for n in range(12)]
    ours = track(other, 5, 6)
    for company_id in (*theirs, ours):
        judge(company_id, 6)
    sent = ticking.at(20)
    assert f"evaluate({ours})" in sent
    assert len(sent) == 4 + 1, "a chunk of the crowded, and all of the other"
    assert ticking.at(20.2) == [], "the crowded has a chunk of waiting evaluations"


def test_a_flood_of_one_organization_defers_no_lost_evaluation_of_others(
    ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_companies_module, "WHILE_BEHIND", 1)
    flooded, other = new_organization("flooded"), new_organization("other")
    theirs = [track(flooded, 0, company=f"c{n}") for n in range(3)]
    ours = [track(other, 0, company=f"c{n}") for n in range(3)]
    wait_in_journal(ticking.broker.client, flooded, "acme", at=1)
    sent = ticking.at(10)
    assert {f"evaluate({company_id})" for company_id in ours} < set(sent)
    assert len(sent) == len(ours) + 1, "one of the flooded"
    ticking.broker.client.flushdb()
    assert len(ticking.at(10.2)) == len(theirs) - 1


def test_few_companies_are_enqueued_while_events_wait_and_the_others_afterwards(
    ticking: Ticking, brokers: Callable[[], RecordingBroker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_companies_module, "WHILE_BEHIND", 2)
    organization_id = new_organization()
    ids = [track(organization_id, at, company=f"c{at}") for at in range(5)]
    posted_at = round(after(5).timestamp() * 1000)
    worker = brokers()
    worker.enqueue(replace(messages.persist([]), message_timestamp=posted_at))

    asked = [f"evaluate({company_id})" for company_id in ids]
    assert ticking.at(10) == asked[:2], "those that have waited the longest"
    assert ticking.at(10.2) == []
    assert ticking.at(11) == asked[2:4]

    consumer = worker.consume(messages.EVENTS, timeout=1)
    message = next(consumer)
    assert message is not None
    consumer.ack(message)
    judge(ids[0], 11)
    last = track(organization_id, 11.1, company="c0")
    assert ticking.at(11.3) == [asked[4], f"evaluate({last})"], "the others were enqueued"


def test_totals_are_refreshed_rarely_while_events_wait(
    ticking: Ticking, brokers: Callable[[], RecordingBroker]
) -> None:
    def refreshes(at: float) -> bool:
        ticking.at(at)
        waiting = ticking.broker.waiting(messages.TOTALS)
        ticking.broker.flush(messages.TOTALS)
        return waiting > 0

    assert [refreshes(at) for at in (10, 19, 20)] == [True, False, True]

    track(new_organization(), 20)
    posted_at = round(after(20).timestamp() * 1000)
    worker = brokers()
    worker.enqueue(replace(messages.persist([]), message_timestamp=posted_at))
    assert [refreshes(at) for at in (31, 79, 80)] == [False, False, True]

    message = next(worker.consume(messages.EVENTS, timeout=1))
    assert message is not None
    worker.consume(messages.EVENTS, timeout=1).ack(message)
    assert [refreshes(at) for at in (85, 95)] == [False, True]


def test_a_company_that_cannot_be_evaluated_does_not_block_the_others(
    ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_companies_module, "CHUNK", 1)
    organization_id = new_organization()
    first, second = (track(organization_id, at, company=f"c{at}") for at in (0, 1))
    assert ticking.at(10) == [f"evaluate({first})"]
    ticking.broker.client.flushdb()
    assert ticking.at(10.2) == [f"evaluate({second})"]
    ticking.broker.client.flushdb()
    assert ticking.at(10.4) == []


def test_a_company_with_several_reasons_is_enqueued_once(ticking: Ticking) -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0, 1)
    judge(company_id, 1)
    with transaction():
        apply_rules(
            organization_id, FEW_LOGINS + "# new\n", file="r", applied_by="test", now=after(2)
        )
    track(organization_id, 3)
    assert ticking.at(20) == [f"evaluate({company_id})"]


def snooze_login(organization_id: int, at: float, until: float, *, stored_until: float) -> None:
    with transaction():
        snooze(
            FlagOfCompany(organization_id, "acme", "Logs in"),
            after(until),
            Justification("on hold", "ann", "test"),
            JudgingContext(RuleBooks(), after(at), lambda *_: after(stored_until)),
        )


def test_the_end_of_an_override_is_enqueued_in_time_to_be_recorded_within_a_second(
    ticking: Ticking,
) -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    snooze_login(organization_id, 2, 30.5, stored_until=2)
    assert ticking.at(30.5 - MICROSECOND) == []
    assert ticking.at(30.5 + SOON) == [f"evaluate({company_id})"]
    judge(company_id, 30.5 + SOON)
    assert ticking.at(60) == []


def test_an_override_that_waits_for_events_is_enqueued_until_it_is_recorded(
    ticking: Ticking,
) -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    snooze_login(organization_id, 20, 30, stored_until=15)
    assert ticking.at(20 + SOON) == [f"evaluate({company_id})"]
    assert ticking.at(21) == []
    assert ticking.at(26) == [f"evaluate({company_id})"]
    judge(company_id, 26)
    assert ticking.at(29) == []


def test_the_longest_overdue_are_enqueued_first(ticking: Ticking) -> None:
    organization_id = new_organization()
    later = track(organization_id, 3, 4, company="later")
    sooner = track(organization_id, 1, 2, company="sooner")
    for company_id in (later, sooner):
        judge(company_id, 4)
    assert ticking.at(60) == [f"evaluate({sooner})", f"evaluate({later})"]


def test_a_company_whose_evaluation_was_lost_is_enqueued_after_two_seconds(
    ticking: Ticking,
) -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    track(organization_id, 1)
    assert ticking.at(3) == []
    assert ticking.at(3 + MICROSECOND) == [f"evaluate({company_id})"]
    judge(company_id, 4)
    assert ticking.at(9) == []


def test_companies_judged_by_older_rules_are_enqueued_soon_and_no_others(
    ticking: Ticking,
) -> None:
    ours, theirs = new_organization("ours"), new_organization("theirs")
    first, second = track(ours, 0, company="first"), track(ours, 0, company="second")
    other = track(theirs, 0)
    for company_id in (first, second, other):
        judge(company_id, 0)
    with transaction():
        apply_rules(ours, FEW_LOGINS + "# new\n", file="r", applied_by="test", now=after(1))
    assert sorted(ticking.at(1.3)) == sorted([f"evaluate({first})", f"evaluate({second})"])
    for company_id in (first, second):
        judge(company_id, 1.5)
    assert ticking.at(60) == []


def test_a_company_that_was_stored_late_by_older_rules_is_found_within_a_second(
    ticking: Ticking,
) -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0)
    with transaction():
        apply_rules(organization_id, FEW_LOGINS + "# new\n", file="r", applied_by="t", now=after(1))
    assert ticking.at(1.5) == [f"evaluate({company_id})"]
    judge(company_id, 1.5)
    assert ticking.at(28) == []
    with transaction():
        execute("update companies set judged_version = 1")
    assert ticking.at(28.2) == [], "it is searched for once a second"
    assert ticking.at(29) == [f"evaluate({company_id})"]


def test_companies_older_than_the_first_rules_are_enqueued(ticking: Ticking) -> None:
    with transaction():
        organization_id = organizations.create("o").id
    company_id = track(organization_id, 0)
    assert ticking.at(10) == []
    with transaction():
        apply_rules(organization_id, FEW_LOGINS, file="r", applied_by="test", now=after(10))
    assert ticking.at(10.3) == [f"evaluate({company_id})"]


def test_a_company_that_a_former_release_evaluated_is_enqueued(ticking: Ticking) -> None:
    company_id = track(new_organization(), 0, 1)
    judge(company_id, 1)
    with transaction():
        execute("update companies set evaluation_revision = 1")
    assert ticking.at(2) == [f"evaluate({company_id})"]
    judge(company_id, 2)
    assert ticking.at(9) == []


def test_a_new_delivery_whose_message_was_lost_is_enqueued_within_three_seconds(
    ticking: Ticking, settings: Settings
) -> None:
    delivery_id = new_delivery(settings)
    assert ticking.at(2) == []
    assert ticking.at(3) == [message_of(delivery_id, 1)]


def test_a_failed_delivery_is_enqueued_when_its_next_attempt_is_due(
    ticking: Ticking, settings: Settings
) -> None:
    delivery_id = new_delivery(settings)
    for number, wait in enumerate(POLICY.retry_delays, start=1):
        failed = Attempt(START, 5, 500, "answered 500", "")
        result = Result(State.WAITING, counts=True, next_attempt_at=START + wait)
        claimed = claim_try(delivery_id, number, 0)
        assert claimed is not None
        with transaction():
            deliveries.finish(claimed.delivery, claimed.token, failed, result, START)
        due = wait.total_seconds()
        assert ticking.at(due - MICROSECOND) == []
        assert ticking.at(due) == [message_of(delivery_id, number + 1)]


def test_an_attempt_that_never_ended_is_enqueued_again_after_its_lease(
    ticking: Ticking, settings: Settings
) -> None:
    delivery_id = new_delivery(settings)
    assert claim_try(delivery_id, 1, 0) is not None
    lease = LEASE.total_seconds()
    assert ticking.at(lease - MICROSECOND) == []
    assert ticking.at(lease) == [message_of(delivery_id, 1)]


def test_a_message_that_redis_did_not_accept_is_enqueued_again_at_once(ticking: Ticking) -> None:
    company_id = track(new_organization(), 0, 1)
    judge(company_id, 1)
    ticking.broker.gone = True
    with pytest.raises(redis.ConnectionError):
        ticking.at(11)
    ticking.broker.gone = False
    assert ticking.at(11.2) == [f"evaluate({company_id})"]
