"""R11: what was recorded while a clock was ahead is moved to the present when it is set back."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from actors.clock import Clock
from actors.evaluate import CompanyEvaluator
from config.settings import Settings
from models.database import database, execute, query, transaction
from models.health import flag_overrides
from models.webhooks import deliveries
from models.webhooks.deliveries import Attempt, Request, Result, State
from queues import messages
from services.health.overrides import FlagOfCompany, JudgingContext, Justification, snooze
from services.insights import answers
from services.insights.questions import Adoption, write_question
from services.rules.rule_books import RuleBooks
from services.times import utc_now
from services.webhooks.claims import claim
from tests.support.clocks import POLICY, RecordingBroker
from tests.support.in_transactions import evaluate
from tests.support.world import World

HOUR = timedelta(hours=1)

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: , report: }
flags:
  - flag: Gone quiet
    event: login
    when: {At Risk: no activity for 30 minutes}
  - flag: Reports
    event: report
    when: {Critical: at least 3 times in 1 day}
    for: 10 minutes
"""

PLANNED = {"due_at", "next_attempt_at", "ends_at", "probe_at", "former_secret_until", "expires_at"}
"""Columns whose times may be after the present."""


class Machine:
    """A machine whose clock is set by the test; Redis runs on another one and is right."""

    def __init__(self, broker: RecordingBroker) -> None:
        self.skew = timedelta(0)
        self.broker = broker
        self.clock = Clock(broker, self.now, POLICY)
        self.evaluator = CompanyEvaluator(broker, RuleBooks())

    def now(self) -> datetime:
        return utc_now() + self.skew

    def tick(self) -> list[int]:
        """Let the clock tick, evaluate what it enqueues, and return those companies."""
        self.tick_only()
        ids = [int(sent[9:-1]) for sent in self.broker.sent if sent.startswith("evaluate(")]
        if ids:
            self.evaluator.evaluate_former(ids)
        return ids

    def tick_only(self) -> None:
        """Let the clock tick on a connection of its own, as in its process."""
        self.broker.sent.clear()
        with database.connection_context():
            self.clock.tick()

    def tick_until_idle(self) -> None:
        for _ in range(50):
            if not self.tick():
                return
        raise AssertionError("the clock does not come to rest")


@pytest.fixture
def machine(brokers: Callable[[], RecordingBroker]) -> Machine:
    return Machine(brokers())


@pytest.fixture
def world(settings: Settings) -> World:
    """A world that starts at the real present, since Redis and PostgreSQL have its time."""
    del settings  # the database
    return World.create(RULES, start=utc_now())


def times_after(at: datetime) -> list[tuple[str, str]]:
    """Return the columns of all tables that have a time after an instant."""
    found = []
    with transaction():
        columns = query(
            "select table_name as table, column_name as column from information_schema.columns"
            " join information_schema.tables using (table_schema, table_name)"
            " where table_schema = 'public' and table_type = 'BASE TABLE'"
            " and data_type = 'timestamp with time zone'"
        )
        for row in columns:
            sql = f"select from {row['table']} where {row['column']} > %(at)s limit 1"
            if row["column"] not in PLANNED and query(sql, {"at": at}):
                found.append((row["table"], row["column"]))
        micros = round(at.timestamp() * 1_000_000)
        for table, column in (
            ("companies", "fields_at"), ("companies", "fields_changed_at"), ("users", "fields_at"),
        ):  # fmt: skip
            sql = f"select from {table}, jsonb_each_text({column}) f where f.value::bigint > %(at)s"
            if query(sql, {"at": micros}):
                found.append((table, column))
    return found


def set_back(machine: Machine) -> datetime:
    """Let the clock see the skew, set it back, tick once, and return the time of that."""
    machine.skew = HOUR
    machine.tick_only()
    machine.skew = timedelta(0)
    machine.tick()
    return utc_now()


def test_a_company_judged_ahead_recovers_at_once_and_is_judged_at_its_own_instants_again(
    machine: Machine, world: World
) -> None:
    world.track("acme", -60)
    world.judge("acme", 0)
    world.judge("acme", HOUR)  # 20 seconds of a clock that is ahead suffice
    assert world.crossings() == [(30 * 60 - 60, "At Risk", "time")]

    at = set_back(machine)

    assert world.status() == "Healthy"
    raised, recovered = world.transitions()
    assert raised.at <= recovered.at <= at
    assert (raised.sequence, recovered.sequence) == (1, 2)
    assert times_after(at) == []
    machine.tick_until_idle()
    assert len(world.transitions()) == 2, "nothing is recorded twice"

    world.judge("acme", HOUR)  # when an hour has really passed
    assert world.crossings()[2:] == [(30 * 60 - 60, "At Risk", "time")]


def test_events_accepted_ahead_count_once_and_as_of_the_present(
    machine: Machine, world: World
) -> None:
    world.track("acme", -60, plan="Old")
    world.judge("acme", 0)
    ahead = [HOUR, HOUR + timedelta(seconds=1), HOUR + timedelta(seconds=2)]
    world.track("acme", *ahead, key="report", user="u", user_fields={"role": "A"}, plan="New")
    world.track("bolt", HOUR)  # a company that is new
    world.judge()

    at = set_back(machine)

    assert times_after(at) == []
    assert world.status("acme") == "Healthy", "the reports have not gone on for 10 minutes"
    assert world.company("bolt").first_seen_at <= at
    assert world.company().traits.custom == {"plan": "New"}
    history = world.rows(
        "select value from field_changes where organization_id = %(id)s and field = 'plan'"
        " order by at"
    )
    assert [row["value"] for row in history] == ["Old", "New"]
    counted = world.rows(
        "select sum(events) as events from (select events, organization_id from event_arrivals"
        " union all select events, organization_id from event_counts) c"
        " where organization_id = %(id)s"
    )
    assert counted == [{"events": 5}]

    later = (utc_now() - world.start).total_seconds()
    world.track("acme", later, plan="Newer")
    assert world.company().traits.custom == {"plan": "Newer"}, "fields go on changing"
    world.judge("acme", later + 601)
    assert world.status("acme") == "Critical", "three reports, for 10 minutes since the present"


def test_a_silent_company_is_found_without_an_event(machine: Machine, world: World) -> None:
    for company in ("a", "b", "c"):
        world.track(company, -60)
    world.judge(None, 0)
    world.judge(None, HOUR)
    set_back(machine)
    assert {world.status(company) for company in ("a", "b", "c")} == {"Healthy"}


def test_a_company_whose_row_is_locked_is_moved_as_soon_as_it_is_not(
    machine: Machine, world: World
) -> None:
    world.track("acme", -60)
    world.judge("acme", 0)
    world.judge("acme", HOUR)
    with transaction():
        query("select from companies for update")
        in_another_thread(machine.tick_only)
    assert times_after(utc_now())
    machine.tick()
    assert world.status() == "Healthy"
    assert times_after(utc_now()) == []


def in_another_thread(work: Callable[[], Any]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


def test_a_clock_that_starts_after_the_step_finds_what_is_ahead(
    machine: Machine, world: World
) -> None:
    world.track("acme", -60)
    world.judge("acme", 0)
    world.judge("acme", HOUR)
    machine.tick()
    assert world.status() == "Healthy"


def delivery_to(endpoint_id: UUID, written: Sequence[UUID]) -> UUID:
    """Return which of these deliveries goes to an endpoint."""
    with transaction():
        [row] = query(
            "select id from deliveries where endpoint_id = %(endpoint)s and id = any(%(ids)s)",
            {"endpoint": endpoint_id, "ids": list(written)},
        )
    found: UUID = row["id"]
    return found


WAITING = (
    "select id, coalesce(next_attempt_at, created_at) as next_attempt_at from deliveries"
    " where state = 'waiting'"
)
"""Those that the clock has parked for their turn are due as of when they were created."""


def test_what_other_tables_have_ahead_is_moved_too(
    machine: Machine, world: World, settings: Settings
) -> None:
    failing, resting = (world.subscribe(settings, f"https://{n}.example") for n in "ab")
    world.track("acme", -60)
    world.judge("acme", 0)
    ahead = world.at(HOUR)
    written = world.judge("acme", HOUR)  # deliveries whose messages are lost
    world.track("leased", -60)
    leased = delivery_to(failing, world.judge("leased", HOUR))
    assert claim(Request(world.id, failing, leased, 1), ahead, POLICY)
    world.track("retried", -60)
    retried = delivery_to(failing, world.judge("retried", HOUR))
    claimed = claim(Request(world.id, failing, retried, 1), ahead, POLICY)
    assert claimed
    with transaction():
        attempt = Attempt(ahead, 5, 500, "answered 500", None)
        result = Result(State.WAITING, counts=True, next_attempt_at=ahead + timedelta(minutes=5))
        deliveries.finish(claimed.delivery, claimed.token, attempt, result, ahead)
        for endpoint, probe_at in (failing, ahead + timedelta(seconds=30)), (resting, ahead):
            execute(
                "update webhook_endpoints set probe_at = %(at)s where id = %(id)s",
                {"id": endpoint, "at": probe_at},
            )
        answers.compute_answer(world.id, write_question(Adoption("login")), ahead)
        context = JudgingContext(world.rulebooks, ahead, lambda *_: ahead)
        target = FlagOfCompany(world.id, "acme", "Reports")
        snooze(target, ahead + HOUR, Justification("r", "o", "m"), context)
    world.apply_rules(RULES.replace("30 minutes", "40 minutes"), HOUR)

    at = set_back(machine)

    assert times_after(at) == []
    with transaction():
        due = {row["id"]: (row["next_attempt_at"] - at).total_seconds() for row in query(WAITING)}
        probes = query("select id, probe_at from webhook_endpoints")
        [override] = flag_overrides.list_for_organization(world.id)
    assert due[written[0]] <= 0
    assert due[leased] <= 60
    assert 299 < due[retried] <= 300
    assert override.override.starts_at <= at
    probe_at = {row["id"]: row["probe_at"] for row in probes}
    assert 29 < (probe_at[failing] - at).total_seconds() <= 30
    assert probe_at[resting] == ahead, "it asked for a long pause"
    assert world.company().judged_version == 2


def test_clocks_that_were_set_are_told(
    machine: Machine, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    machine.tick()
    set_back(machine)
    assert "jumped ahead by 3600." in caplog.text
    assert "3600.0 seconds ahead of that of Redis" in caplog.text
    assert "was set back by 3600." in caplog.text
    assert "agrees with that of Redis again" in caplog.text


def test_pauses_of_the_clock_process_are_not_prolonged(machine: Machine, world: World) -> None:
    """The totals, for instance, are refreshed every ten seconds."""
    del world  # the database
    machine.skew = HOUR
    machine.tick_only()
    machine.broker.flush(messages.TOTALS)
    machine.skew = timedelta(0)
    machine.tick_only()
    assert machine.broker.waiting(messages.TOTALS) == 1


def test_a_flag_that_ends_by_itself_does_so_in_time(machine: Machine, world: World) -> None:
    world.apply_rules(
        RULES.replace("3 times in 1 day", "1 time in 5 seconds").replace("for: 10 minutes", "")
    )
    world.track("acme", -60)
    world.judge("acme", 0)
    world.track("acme", HOUR, key="report")
    world.judge("acme", HOUR)
    assert world.status() == "Critical"
    at = set_back(machine)
    assert world.status() == "Critical", "the report has just been sent"
    due_at = world.flag("acme", "Reports").due_at
    assert due_at is not None
    assert due_at <= at + timedelta(seconds=5)


def test_a_clock_ahead_of_redis_judges_no_company_ahead(machine: Machine, world: World) -> None:
    """Events get their times from Redis, so nobody is judged past its clock."""
    world.track("acme", -60)
    world.judge("acme", 0)
    machine.skew = HOUR
    machine.tick_only()
    assert machine.broker.sent == []
    evaluate([world.company_id()], world.rulebooks, utc_now())
    assert world.status() == "Healthy"
