"""Actors in a running worker: events become health and webhooks, through outages."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import orjson
import pytest
from dramatiq import Message, Worker
from dramatiq.middleware import CurrentMessage
from standardwebhooks import Webhook

from actors.capacity import Capacity
from actors.deliver import Deliverer
from actors.notifications.notifier import Notifier
from actors.persist import LARGE_BUNDLE
from actors.registration import register_actors
from actors.retries import WebhookRetries
from config.settings import Settings
from config.webhook_policy import WebhookPolicy
from models.database import query, transaction
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import NewDelivery
from queues import messages
from queues.broker import QueueBroker
from services.notifications.delivery import Sender
from services.notifications.metrics import NotificationCounters
from services.rules.rule_books import RuleBooks
from services.webhooks.addresses import AddressPolicy
from services.webhooks.metrics import WebhookCounters
from services.webhooks.transport import Transport
from tests.support.brokers import NewBroker
from tests.support.evaluations import FEW_LOGINS
from tests.support.webhooks.endpoints import request_of
from tests.support.world import World

OUTAGE = "perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5);"

DISK_FULL = "raise exception 'could not extend file' using errcode = 'disk_full';"
"""Faults of PostgreSQL in the middle of a statement, as PL/pgSQL."""


class Running:
    """Worker threads for all queues, and the rows that they write."""

    def __init__(self, broker: QueueBroker) -> None:
        self.broker = broker

    def send(self, message: Message[None]) -> None:
        self.broker.enqueue(message)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with transaction():
            return query(sql)

    def eventually(self, sql: str, seconds: float = 8) -> list[dict[str, Any]]:
        """Return the rows of a query as soon as it has any."""
        deadline = time.monotonic() + seconds
        while not (rows := self.rows(sql)):
            assert time.monotonic() < deadline, f"no rows after {seconds} seconds: {sql}"
            time.sleep(0.02)
        return rows

    def wait_until_idle(self) -> None:
        self.broker.join(messages.EVENTS, interval=20, timeout=8_000)
        deadline = time.monotonic() + 8
        while self.broker.evaluations.waiting():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.broker.join(messages.WEBHOOKS, interval=20, timeout=8_000)


@pytest.fixture
def worker(settings: Settings, new_broker: NewBroker, soon_stopped: None) -> Iterator[Running]:
    del soon_stopped  # a patch
    counters = WebhookCounters(new_broker().client)
    capacity = Capacity(threads=8)
    rulebooks = RuleBooks()
    transport = Transport(
        AddressPolicy(settings.webhook_allow_nets), WebhookPolicy(timeout=timedelta(seconds=5))
    )
    broker = new_broker(middleware=[CurrentMessage(), WebhookRetries(counters, capacity)])
    register_actors(
        broker,
        rulebooks=rulebooks,
        notifier=Notifier(
            Sender(transport, rulebooks, settings.secret_keys, None, None),
            NotificationCounters(new_broker().client),
        ),
        deliverer=Deliverer(
            broker,
            transport=transport,
            secret_keys=settings.secret_keys,
            counters=counters,
            capacity=capacity,
        ),
    )
    running = Worker(broker, worker_threads=2, worker_timeout=50)
    running.start()
    yield Running(broker)
    running.stop(timeout=5_000)


@contextmanager
def receiver(
    status: int, *, seconds: float = 0.0
) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Yield the URL of a webhook receiver and the requests that it gets."""
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
    return World.create(FEW_LOGINS, start=datetime.now(UTC)).id


def login(organization_id: int, event_id: str = "e1") -> dict[str, Any]:
    """Return an event as the ingress sends it."""
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


def test_an_event_is_stored_evaluated_and_sent_to_the_endpoint(
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
def test_a_long_backlog_is_stored_and_its_evaluation_left_to_the_clock(
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


def test_repeated_messages_have_the_effect_of_one(worker: Running, settings: Settings) -> None:
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
            worker.send(messages.deliver(*request_of(delivery["id"], 1)))
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


def test_a_worker_continues_with_the_deliveries_that_wait_for_the_endpoint(
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
                deliveries.add(NewDelivery(organization_id, endpoint, None, f"msg_{n}", "{}", now))
                for n in range(10)
            ]
            for waiting in others:
                deliveries.park(organization_id, waiting)
        worker.send(messages.deliver(organization_id, endpoint, first, 1))
        worker.eventually("select 1 from deliveries having bool_and(state = 'delivered')")
        worker.wait_until_idle()
    assert sorted(headers["webhook-id"] for headers, _ in requests) == [
        f"msg_{n}" for n in range(10)
    ]


def test_a_message_of_the_release_before_is_read(worker: Running, settings: Settings) -> None:
    organization_id = new_organization()
    with receiver(200) as (url, requests):
        with transaction():
            endpoint, _ = webhook_endpoints.add(
                organization_id, url, secret_keys=settings.secret_keys
            )
            delivery_id = deliveries.add(
                NewDelivery(organization_id, endpoint, None, "msg_1", "{}", datetime.now(UTC))
            )
        message = messages.deliver(organization_id, endpoint, delivery_id, 1)
        former = message.asdict() | {"options": {}}
        worker.send(Message(**former))
        worker.send(Message(**former | {"args": (str(UUID(int=0)), 1)}))
        worker.eventually("select 1 from deliveries where state = 'delivered'")
        worker.wait_until_idle()
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"event_key": 5, "company": None}, "TypeError"),
        ({"occurred_at": "yesterday"}, "ValueError"),
        ({"event_key": "no\x00key"}, "NUL"),
    ],
)
def test_an_event_that_can_never_be_stored_is_set_aside_with_the_reason(
    worker: Running, wrong: dict[str, Any], reason: str
) -> None:
    sent = login(new_organization()) | wrong
    worker.send(messages.persist([sent]))
    [rejected] = worker.eventually("select * from rejected_events")
    assert [*map(bytes, rejected["entry"])] == [b"1", orjson.dumps(sent)]
    assert rejected["organization_id"] == sent["organization_id"]
    assert reason in rejected["error"]
    worker.wait_until_idle()
    assert worker.rows("select 1 from events") == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"organization_id": 4711}, "There is no organization 4711. IntegrityError"),
        ({"organization_id": "x"}, "TypeError"),
        ({"organization_id": True, "data": None, "occurred_at": 1}, "TypeError"),
    ],
)
def test_an_event_of_nobody_is_set_aside_among_the_unreadable_messages(
    worker: Running, wrong: dict[str, Any], reason: str
) -> None:
    sent = login(new_organization()) | wrong
    worker.send(messages.persist([sent]))
    [message] = worker.eventually("select * from unreadable_messages")
    assert (message["queue"], bytes(message["content"])) == ("events", orjson.dumps(sent))
    assert message["reason"].startswith(reason)
    assert worker.rows("select 1 from rejected_events") == []
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


def test_an_evaluation_that_fails_affects_no_other(worker: Running) -> None:
    organization_id = new_organization()
    worker.rows("alter table transitions add constraint fails check (false)")
    worker.send(messages.persist([login(organization_id)]))
    worker.eventually("select 1 from events")
    worker.wait_until_idle()
    [company] = worker.rows("select id, unsettled_since, sequence from companies")
    assert company["unsettled_since"] is not None, "so that the clock enqueues it"
    assert company["sequence"] == 0
    worker.rows("alter table transitions drop constraint fails")
    worker.send(messages.evaluate(company["id"]))
    assert len(worker.eventually("select 1 from transitions")) == 1


def test_an_event_that_cannot_be_stored_affects_no_other_of_its_message(
    worker: Running,
) -> None:
    organization_id = new_organization()
    wrong = login(organization_id) | {"occurred_at": "yesterday"}
    worker.send(messages.persist([login(organization_id), wrong, login(organization_id, "e2")]))
    worker.eventually("select 1 from rejected_events")
    worker.wait_until_idle()
    assert len(worker.rows("select 1 from events")) == 2
    assert len(worker.rows("select 1 from rejected_events")) == 1
