import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import redis
from dramatiq import Message, Worker
from dramatiq.broker import MessageProxy
from dramatiq.common import current_millis
from dramatiq.errors import ConnectionClosed
from standardwebhooks import Webhook

from actors.persist import LARGE_BUNDLE
from actors.registration import register_actors
from actors.retries import WebhookRetries
from config.settings import Settings
from config.webhook_policy import WebhookPolicy
from models.database import query, transaction
from models.organizations import organizations
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import NewDelivery
from queues import messages
from queues.broker import CLIENT_TIMEOUT, HEARTBEAT_TIMEOUT_MS, QueueBroker, build_broker
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from services.webhooks.addresses import AddressPolicy
from services.webhooks.metrics import WebhookCounters
from services.webhooks.transport import Transport
from standalone.embedded import redis_url

RULES = """
version: 1
events: {login: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 2 times in 10 seconds}
"""

OUTAGE = "perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5);"
DISK_FULL = "raise exception 'could not extend file' using errcode = 'disk_full';"
"""What can befall PostgreSQL in the middle of a statement, as PL/pgSQL."""

NewBroker = Callable[..., QueueBroker]


@pytest.fixture
def new_broker(servers: Any) -> Iterator[NewBroker]:
    """Makes brokers on the same empty Redis, as processes would have them."""
    made: list[QueueBroker] = []

    def make(**options: Any) -> QueueBroker:
        made.append(build_broker(redis_url(servers.data), **options))
        return made[-1]

    make().client.flushall()
    yield make
    for broker in made:
        broker.client.close()


def numbered(number: int) -> Message[None]:
    """A message in a queue from which they come one by one."""
    return replace(messages.evaluate(number), queue_name=messages.WEBHOOKS)


def take(broker: QueueBroker, queue: str = messages.WEBHOOKS) -> MessageProxy | None:
    """What a consumer of a queue gets at one look."""
    taken: MessageProxy | None = next(broker.consume(queue, timeout=1))
    return taken


def silent_for(broker: QueueBroker, milliseconds: int, identity: str | None = None) -> None:
    """Make it look as if a broker had last been heard of this long ago."""
    heartbeats = f"{broker.namespace}:__heartbeats__"
    last = current_millis() - milliseconds
    broker.client.zadd(heartbeats, {identity or broker.broker_id: last})


def event_posted_at(broker: QueueBroker, seconds: float) -> datetime:
    """Enqueue an event as if it had been posted then; when that was."""
    at = datetime(2026, 1, 5, 12, 0, 0, 250_000, tzinfo=UTC) + timedelta(seconds=seconds)
    posted = round(at.timestamp() * 1000)
    broker.enqueue(replace(messages.persist([]), message_timestamp=posted))
    return at


# Queues


def test_a_message_is_handed_out_once_and_is_gone_when_acknowledged(new_broker: NewBroker) -> None:
    first, second = new_broker(), new_broker()
    first.enqueue(numbered(7))
    consumer = first.consume(messages.WEBHOOKS, timeout=1)
    message = next(consumer)
    assert message is not None
    assert list(message.args) == [7]
    assert take(second) is None
    consumer.ack(message)
    silent_for(first, HEARTBEAT_TIMEOUT_MS + 1_000)
    assert take(second) is None


def test_messages_come_in_the_order_in_which_they_were_sent(new_broker: NewBroker) -> None:
    broker = new_broker()
    for company_id in range(5):
        broker.enqueue(numbered(company_id))
    consumer = broker.consume(messages.WEBHOOKS, timeout=1)
    taken = [next(consumer) for _ in range(5)]
    assert [message.args[0] for message in taken if message] == list(range(5))


def test_what_a_dead_worker_had_fetched_comes_back_to_another(new_broker: NewBroker) -> None:
    dead, alive = new_broker(), new_broker()
    for company_id in (7, 8):
        dead.enqueue(numbered(company_id))
    assert take(dead) is not None  # with its prefetch it holds the other one too
    assert take(alive) is None
    silent_for(dead, HEARTBEAT_TIMEOUT_MS + 1)
    consumer = alive.consume(messages.WEBHOOKS, timeout=1)
    taken = [next(consumer) for _ in range(2)]
    assert {message.args[0] for message in taken if message} == {7, 8}


def test_a_worker_that_was_heard_of_lately_keeps_what_it_fetched(new_broker: NewBroker) -> None:
    busy, other = new_broker(), new_broker()
    busy.enqueue(numbered(7))
    assert take(busy) is not None
    silent_for(busy, HEARTBEAT_TIMEOUT_MS - 2_000)
    assert take(other) is None


def test_a_worker_is_given_up_within_half_a_minute() -> None:
    assert 5_000 <= HEARTBEAT_TIMEOUT_MS <= 30_000


def test_a_worker_holds_few_webhooks_however_many_threads_it_has(new_broker: NewBroker) -> None:
    broker = new_broker()
    consumer: Any = broker.consume(messages.WEBHOOKS, prefetch=200, timeout=5_000)
    assert consumer.wait_s <= 1
    for number in range(20):
        broker.enqueue(numbered(number))
    taken = [next(consumer) for _ in range(17)]
    assert sum(message is not None for message in taken) == 16
    assert taken[-1] is None, "no more before something is acknowledged"


def test_queues_of_delayed_messages_which_we_do_not_use_are_polled_seldom(
    new_broker: NewBroker,
) -> None:
    consumer: Any = new_broker().consume(f"{messages.EVENTS}.DQ", prefetch=3, timeout=100)
    assert consumer.prefetch == 3
    assert consumer.wait_s >= 1


@pytest.mark.parametrize("wakes", [1, 3])
def test_a_message_wakes_whoever_waits_for_its_queue(new_broker: NewBroker, wakes: int) -> None:
    def wait_for_one() -> MessageProxy | None:
        consumer = new_broker().consume(messages.WEBHOOKS, timeout=4_000)
        waiting.release()
        message = next(consumer)  # returns nothing where it was woken
        return message or next(consumer)

    sender, waiting = new_broker(), threading.Semaphore(0)
    with ThreadPoolExecutor(wakes) as threads:
        taken = [threads.submit(wait_for_one) for _ in range(wakes)]
        for _ in range(wakes):
            assert waiting.acquire(timeout=5)
        time.sleep(0.1)
        began = time.monotonic()
        sender.enqueue_all([numbered(number) for number in range(wakes * 200)])
        assert all(one.result(5) is not None for one in taken)
    assert time.monotonic() - began < 3, "nobody waited to the end"


def test_what_is_enqueued_in_one_step_comes_in_order_and_as_if_it_had_come_alone(
    new_broker: NewBroker,
) -> None:
    broker = new_broker()
    broker.enqueue(numbered(0))
    broker.enqueue_all([numbered(1), numbered(2)])
    broker.enqueue_all([])
    consumer = broker.consume(messages.WEBHOOKS, timeout=1)
    taken = [next(consumer) for _ in range(3)]
    assert [message.args[0] for message in taken if message] == [0, 1, 2]
    for message in taken:
        assert message is not None
        consumer.ack(message)
    assert broker.client.hlen(f"{broker.namespace}:{messages.WEBHOOKS}.msgs") == 0
    assert broker.do_qsize(messages.WEBHOOKS) == 0


def test_the_oldest_message_not_yet_dealt_with_tells_how_far_behind_a_queue_is(
    new_broker: NewBroker,
) -> None:
    broker, worker = new_broker(), new_broker()
    assert broker.oldest_unacknowledged(messages.EVENTS) is None
    first = event_posted_at(broker, 0)
    assert broker.oldest_unacknowledged(messages.EVENTS) == first
    assert broker.oldest_unacknowledged(messages.WEBHOOKS) is None
    consumer = worker.consume(messages.EVENTS, timeout=1)
    taken = next(consumer)
    assert taken is not None
    second = event_posted_at(broker, 1)
    assert broker.oldest_unacknowledged(messages.EVENTS) == first, "it is still being worked on"
    consumer.ack(taken)
    assert broker.oldest_unacknowledged(messages.EVENTS) == second


def test_a_message_that_a_dead_worker_gave_back_is_still_known_to_be_the_oldest(
    new_broker: NewBroker,
) -> None:
    broker, dead = new_broker(), new_broker()
    oldest = event_posted_at(broker, 0)
    assert take(dead, messages.EVENTS) is not None
    event_posted_at(broker, 1)
    silent_for(dead, HEARTBEAT_TIMEOUT_MS + 1)
    broker.do_requeue(messages.EVENTS)  # any command has maintenance give back what the dead held
    assert broker.oldest_unacknowledged(messages.EVENTS) == oldest


# A Redis that is away


def test_a_redis_that_is_not_there_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    broker = build_broker(f"redis://127.0.0.1:{port}/0", timeout=CLIENT_TIMEOUT)
    started = time.monotonic()
    with pytest.raises(redis.ConnectionError):
        broker.enqueue(numbered(7))
    assert time.monotonic() - started < 1


def test_a_redis_that_does_not_answer_is_told_soon_and_asked_only_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        broker = build_broker(f"redis://127.0.0.1:{port}/0", timeout=CLIENT_TIMEOUT)
        started = time.monotonic()
        with pytest.raises(redis.TimeoutError):
            broker.enqueue(numbered(7))
        assert time.monotonic() - started < 1
        broker.client.close()
        listener.settimeout(0.1)
        accepted, _ = listener.accept()
        accepted.close()
        with pytest.raises(TimeoutError):
            listener.accept()


def test_what_may_have_been_handed_out_with_a_lost_reply_is_not_lost(
    new_broker: NewBroker,
) -> None:
    admin, broker = new_broker(), new_broker(timeout=0.1)
    before = broker.broker_id
    broker.enqueue(numbered(7))
    consumer = broker.consume(messages.WEBHOOKS, timeout=1)
    assert next(consumer) is not None
    broker.enqueue(numbered(8))
    admin.client.client_pause(300, all=True)
    with pytest.raises(ConnectionClosed):
        next(consumer)
    admin.client.client_unpause()
    assert broker.broker_id != before, "it goes on under another name"
    silent_for(admin, HEARTBEAT_TIMEOUT_MS + 1, identity=before)
    consumer = broker.consume(messages.WEBHOOKS, timeout=1)
    taken = [next(consumer) for _ in range(3)]
    assert {message.args[0] for message in taken if message} == {7, 8}


def test_an_acknowledgement_that_redis_does_not_answer_is_told_as_a_lost_connection(
    new_broker: NewBroker,
) -> None:
    admin, broker = new_broker(), new_broker(timeout=0.1)
    broker.enqueue(numbered(7))
    broker.enqueue(numbered(8))
    consumer = broker.consume(messages.WEBHOOKS, timeout=1)
    first, second = next(consumer), next(consumer)
    assert first is not None
    assert second is not None
    admin.client.client_pause(300, all=True)
    with pytest.raises(ConnectionClosed):
        consumer.ack(first)
    with pytest.raises(ConnectionClosed):
        consumer.nack(second)
    admin.client.client_unpause()


# Bundles


def enqueue_events(broker: QueueBroker, *numbers: int, each: int = 1) -> None:
    broker.enqueue_all([messages.persist([{"number": n}] * each) for n in numbers])


def bundled(message: MessageProxy | None) -> list[int]:
    assert message is not None
    return [event["number"] for event in message.args[0]]


def test_what_waits_in_the_queue_of_events_comes_as_one_message(new_broker: NewBroker) -> None:
    broker = new_broker()
    enqueue_events(broker, *range(7))
    consumer = broker.consume(messages.EVENTS, prefetch=4, timeout=1)
    bundle = next(consumer)
    assert bundle is not None
    assert bundled(bundle) == list(range(7))
    assert next(consumer) is None
    assert broker.client.hlen(f"{broker.namespace}:{messages.EVENTS}.msgs") == 7
    consumer.ack(bundle)
    assert broker.do_qsize(messages.EVENTS) == 0


def test_companies_to_judge_come_as_one_message_as_well(new_broker: NewBroker) -> None:
    broker = new_broker()
    broker.enqueue_all([messages.evaluate(number) for number in range(60)])
    consumer = broker.consume(messages.HEALTH, prefetch=4, timeout=1)
    first, second = next(consumer), next(consumer)
    assert first is not None
    assert second is not None
    assert tuple(first.args) == tuple(range(50))
    assert tuple(second.args) == tuple(range(50, 60))
    consumer.ack(first)
    consumer.nack(second)
    assert broker.do_qsize(messages.HEALTH) == 0
    assert broker.client.zcard(f"{broker.namespace}:{messages.HEALTH}.XQ") == 10


def test_a_bundle_has_its_most_events_and_a_worker_its_most_bundles(new_broker: NewBroker) -> None:
    broker = new_broker()
    enqueue_events(broker, *range(12), each=400)
    enqueue_events(broker, 12, each=2_400)
    consumer = broker.consume(messages.EVENTS, prefetch=3, timeout=1)
    taken = [next(consumer) for _ in range(4)]
    assert [len(bundled(bundle)) for bundle in taken[:3]] == [2_000, 2_000, 800]
    assert taken[3] is None, "no more before one is acknowledged"
    consumer.ack(taken[0])
    assert len(bundled(next(consumer))) == 2_400, "what one message carries is never torn apart"


def test_of_a_killed_worker_every_message_of_its_bundles_comes_back(new_broker: NewBroker) -> None:
    killed, alive = new_broker(), new_broker()
    enqueue_events(killed, *range(12), each=400)
    assert next(killed.consume(messages.EVENTS, prefetch=1, timeout=1)) is not None
    silent_for(killed, HEARTBEAT_TIMEOUT_MS + 1)
    consumer = alive.consume(messages.EVENTS, prefetch=4, timeout=1)
    found = [message for message in (next(consumer) for _ in range(5)) if message]
    assert {number for bundle in found for number in bundled(bundle)} == set(range(12))


@pytest.mark.parametrize("handed_out", [True, False])
def test_a_worker_that_stops_gives_back_its_bundles(
    new_broker: NewBroker, *, handed_out: bool
) -> None:
    stopping, alive = new_broker(), new_broker()
    enqueue_events(stopping, *range(8), each=400)
    consumer = stopping.consume(messages.EVENTS, prefetch=4, timeout=1)
    first = next(consumer)
    assert first is not None
    if handed_out:
        consumer.requeue([first])
    else:
        consumer.ack(first)
    consumer.close()
    other = alive.consume(messages.EVENTS, prefetch=4, timeout=1)
    found = [message for message in (next(other) for _ in range(3)) if message]
    expected = set(range(8)) if handed_out else {5, 6, 7}
    assert {number for bundle in found for number in bundled(bundle)} == expected


def test_a_bundle_that_no_actor_could_take_is_kept_among_the_dead_letters(
    new_broker: NewBroker,
) -> None:
    broker = new_broker()
    enqueue_events(broker, *range(3))
    consumer = broker.consume(messages.EVENTS, prefetch=4, timeout=1)
    bundle = next(consumer)
    assert bundle is not None
    consumer.nack(bundle)
    assert broker.do_qsize(messages.EVENTS) == 0
    assert broker.client.hlen(f"{broker.namespace}:{messages.EVENTS}.XQ.msgs") == 3


# A worker


class Running:
    """Worker threads for all queues, and what they wrote."""

    def __init__(self, broker: QueueBroker) -> None:
        self.broker = broker

    def send(self, message: Message[None]) -> None:
        self.broker.enqueue(message)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with transaction():
            return query(sql)

    def eventually(self, sql: str, seconds: float = 8) -> list[dict[str, Any]]:
        """The rows of a query as soon as it has any."""
        deadline = time.monotonic() + seconds
        while not (rows := self.rows(sql)):
            assert time.monotonic() < deadline, f"nothing came of `{sql}`"
            time.sleep(0.02)
        return rows

    def wait_until_idle(self) -> None:
        for queue in (messages.EVENTS, messages.HEALTH, messages.WEBHOOKS):
            self.broker.join(queue, interval=20, timeout=8_000)


@pytest.fixture
def worker(settings: Settings, new_broker: NewBroker) -> Iterator[Running]:
    counters = WebhookCounters(new_broker().client)
    broker = new_broker(middleware=[WebhookRetries(counters)])
    register_actors(
        broker,
        rulebooks=RuleBooks(),
        transport=Transport(
            AddressPolicy(settings.webhook_allow_nets), WebhookPolicy(timeout=timedelta(seconds=5))
        ),
        secret_keys=settings.secret_keys,
        counters=counters,
    )
    running = Worker(broker, worker_threads=2, worker_timeout=50)
    running.start()
    yield Running(broker)
    running.stop(timeout=5_000)


@contextmanager
def receiver(status: int) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A webhook receiver's URL, and the requests that it gets."""
    requests: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((dict(self.headers.items()), body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            del args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", requests
        server.shutdown()
        serving.join(5)


def new_organization() -> int:
    with transaction():
        organization_id = organizations.create("o").id
        now = datetime.now(UTC) - timedelta(minutes=1)
        apply_rules(organization_id, RULES, file="rules.yaml", applied_by="test", now=now)
    return organization_id


def login(organization_id: int, event_id: str = "e1") -> dict[str, Any]:
    """An event as the ingress sends it."""
    now = datetime.now(UTC).isoformat()
    return {
        "organization_id": organization_id,
        "key_id": None,
        "event_id": event_id,
        "event_key": "login",
        "company": {"id": "acme", "name": "Acme"},
        "user": {"id": "u1", "email": "a@acme.com"},
        "data": None,
        "occurred_at": now,
        "received_at": now,
    }


def test_an_event_is_stored_judged_and_told_to_the_endpoint(
    worker: Running, settings: Settings
) -> None:
    organization_id = new_organization()
    with receiver(200) as (url, requests):
        with transaction():
            _, secret = webhook_endpoints.add(
                organization_id, url, secret_keys=settings.secret_keys
            )
        worker.send(messages.persist([login(organization_id)]))
        worker.eventually("select 1 from deliveries where state = 'delivered'")
    [(headers, body)] = requests
    payload = Webhook(secret).verify(body, headers)
    assert payload["company"]["health_status"] == "At Risk"
    assert len(worker.rows("select 1 from events")) == 1
    worker.wait_until_idle()


@pytest.mark.parametrize(
    ("events", "waited", "judged"),
    [
        (LARGE_BUNDLE, timedelta(seconds=3), 0),
        (LARGE_BUNDLE - 1, timedelta(seconds=3), LARGE_BUNDLE - 1),
        (LARGE_BUNDLE, timedelta(0), LARGE_BUNDLE),
    ],
)
def test_many_events_that_waited_long_are_stored_and_their_judging_is_left_to_the_clock(
    worker: Running, events: int, waited: timedelta, judged: int
) -> None:
    organization_id = new_organization()
    at = (datetime.now(UTC) - waited).isoformat()
    sent = [
        login(organization_id, f"e{n}")
        | {"company": {"id": f"c{n}", "name": "C"}, "occurred_at": at, "received_at": at}
        for n in range(events)
    ]
    worker.send(messages.persist(sent))
    worker.eventually(f"select 1 from events having count(*) = {events}")
    worker.wait_until_idle()
    assert len(worker.rows("select 1 from transitions")) == judged
    left = worker.rows("select 1 from companies where unsettled_since is not null")
    assert len(left) == events - judged


def test_the_same_messages_many_times_over_do_what_they_do_once(
    worker: Running, settings: Settings
) -> None:
    organization_id = new_organization()
    with receiver(200) as (url, requests):
        with transaction():
            webhook_endpoints.add(organization_id, url, secret_keys=settings.secret_keys)
        event = login(organization_id)
        for _ in range(5):
            worker.send(messages.persist([event]))
        [delivery] = worker.eventually("select id from deliveries")
        [company] = worker.rows("select id from companies")
        for _ in range(5):
            worker.send(messages.evaluate(company["id"]))
            worker.send(messages.deliver(delivery["id"], 1))
        worker.eventually("select 1 from deliveries where state = 'delivered'")
        worker.wait_until_idle()
    assert len(requests) == 1
    for table in ("events", "transitions", "deliveries", "delivery_attempts"):
        assert len(worker.rows(f"select 1 from {table}")) == 1


def test_a_refused_webhook_is_scheduled_in_the_database_and_not_in_redis(
    worker: Running, settings: Settings
) -> None:
    organization_id = new_organization()
    with receiver(500) as (url, requests):
        with transaction():
            webhook_endpoints.add(organization_id, url, secret_keys=settings.secret_keys)
        worker.send(messages.persist([login(organization_id)]))
        [delivery] = worker.eventually("select * from deliveries where attempts = 1")
        worker.wait_until_idle()
    assert len(requests) == 1
    assert delivery["state"] == "waiting"
    wait = delivery["next_attempt_at"] - datetime.now(UTC)
    assert timedelta(seconds=1) < wait < timedelta(seconds=7)


def test_whoever_delivered_goes_on_with_what_waits_for_the_endpoint(
    worker: Running, settings: Settings
) -> None:
    organization_id = new_organization()
    with receiver(200) as (url, requests):
        now = datetime.now(UTC)
        with transaction():
            endpoint, _ = webhook_endpoints.add(
                organization_id, url, secret_keys=settings.secret_keys
            )
            first, *others = [
                deliveries.add(NewDelivery(organization_id, endpoint, None, f"msg_{n}", "{}"), now)
                for n in range(10)
            ]
            for waiting in others:
                deliveries.park(waiting)
        worker.send(messages.deliver(first, 1))
        worker.eventually("select 1 from deliveries having bool_and(state = 'delivered')")
        worker.wait_until_idle()
    assert sorted(headers["webhook-id"] for headers, _ in requests) == [
        f"msg_{n}" for n in range(10)
    ]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"event_key": 5, "company": None}, "TypeError"),
        ({"occurred_at": "yesterday"}, "ValueError"),
        ({"organization_id": 4711}, "foreign key"),
    ],
)
def test_an_event_that_can_never_be_stored_is_set_aside_with_the_reason(
    worker: Running, wrong: dict[str, Any], reason: str
) -> None:
    sent = login(new_organization()) | wrong
    worker.send(messages.persist([sent]))
    [rejected] = worker.eventually("select * from rejected_events")
    assert rejected["message"] == sent
    assert rejected["organization_id"] == sent["organization_id"]
    assert reason in rejected["error"]
    worker.wait_until_idle()
    assert worker.rows("select 1 from events") == []


@pytest.mark.parametrize(
    ("table", "trouble"),
    [("events", OUTAGE), ("companies", DISK_FULL), ("events", DISK_FULL)],
    ids=["outage at events", "disk full at companies", "disk full at events"],
)
def test_an_event_that_cannot_be_stored_now_is_stored_later_and_not_set_aside(
    worker: Running, table: str, trouble: str
) -> None:
    organization_id = new_organization()
    worker.rows(
        "create sequence tries; create function fail_first() returns trigger language plpgsql"
        f" as $$ begin if nextval('tries') = 1 then {trouble} end if; return new; end $$;"
        f" create trigger fails before insert on {table} for each row execute function fail_first()"
    )
    worker.send(messages.persist([login(organization_id)]))
    worker.eventually("select 1 from events union all select 1 from rejected_events")
    assert worker.rows("select error from rejected_events") == []
    assert len(worker.rows("select 1 from events")) == 1
    worker.wait_until_idle()


def test_an_evaluation_that_fails_costs_nothing_but_itself(worker: Running) -> None:
    organization_id = new_organization()
    worker.rows("alter table transitions add constraint fails check (false)")
    worker.send(messages.persist([login(organization_id)]))
    worker.eventually("select 1 from events")
    worker.wait_until_idle()
    [company] = worker.rows("select id, unsettled_since, sequence from companies")
    assert company["unsettled_since"] is not None, "so the clock finds it"
    assert company["sequence"] == 0
    worker.rows("alter table transitions drop constraint fails")
    worker.send(messages.evaluate(company["id"]))
    assert len(worker.eventually("select 1 from transitions")) == 1


def test_every_event_of_a_message_is_stored_and_one_that_cannot_be_costs_no_other(
    worker: Running,
) -> None:
    organization_id = new_organization()
    wrong = login(organization_id) | {"occurred_at": "yesterday"}
    worker.send(messages.persist([login(organization_id), wrong, login(organization_id, "e2")]))
    worker.eventually("select 1 from rejected_events")
    worker.wait_until_idle()
    assert len(worker.rows("select 1 from events")) == 2
    assert len(worker.rows("select 1 from rejected_events")) == 1
