"""A clock that ticks under a test's control, and companies that are due."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any
from uuid import UUID

import redis
from dramatiq import Message

from actors.clock import Clock
from config.webhook_policy import WebhookPolicy
from models.database import query, transaction
from queues import messages
from queues.broker import QueueBroker
from queues.evaluations import CompanyId, Evaluations
from queues.lanes.keys import JOURNAL
from queues.lanes.lane import Lane
from queues.lanes.lane_queue import FORMAT
from services.rules.rule_books import RuleBooks
from tests.support.evaluations import FEW_LOGINS
from tests.support.events import tracked
from tests.support.in_transactions import evaluate, store
from tests.support.world import START, World, after

POLICY = WebhookPolicy()


class RecordingEvaluations(Evaluations):
    """The evaluations of a `RecordingBroker`."""

    def __init__(self, broker: "RecordingBroker") -> None:
        super().__init__(broker.client)
        self._broker = broker

    def enqueue(self, companies: Iterable[CompanyId]) -> None:
        if self._broker.gone:
            raise redis.ConnectionError("connection refused")
        companies = list(companies)
        self._broker.sent += [f"evaluate({company_id})" for _, company_id in companies]
        super().enqueue(companies)


class RecordingBroker(QueueBroker):
    """A broker that records its messages, and is unreachable while `gone`."""

    def __init__(self, redis_url: str) -> None:
        client = redis.Redis.from_url(redis_url)
        super().__init__(client=client, middleware=[])  # type: ignore[no-untyped-call]
        self.sent: list[str] = []
        self.gone = False

    @cached_property
    def evaluations(self) -> Evaluations:
        return RecordingEvaluations(self)

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        if self.gone:
            raise redis.ConnectionError("connection refused")
        if message.queue_name != messages.TOTALS:
            self.sent.append(str(message))
        return super().enqueue(message, delay=delay)


class Ticking:
    """A clock whose time is set by the test."""

    def __init__(self, broker: RecordingBroker) -> None:
        self.broker = broker
        self.now = START
        self.clock = Clock(broker, lambda: self.now, POLICY)

    def at(self, seconds: float) -> list[str]:
        """Tick at this time and return what was enqueued."""
        self.now = after(seconds)
        self.broker.sent.clear()
        with transaction():
            enqueued = self.clock.tick()
        assert enqueued == len(self.broker.sent)
        return list(self.broker.sent)


def new_organization(name: str = "o", rules: str = FEW_LOGINS) -> int:
    return World.create(rules, name=name).id


def track(organization_id: int, *times: float, key: str = "login", company: str = "acme") -> int:
    """Store an event for each time; return the id of the company's row."""
    events = [tracked(organization_id, company, after(at), key=key) for at in times]
    store(events, RuleBooks())
    with transaction():
        [row] = query(
            "select id from companies where organization_id = %(o)s and external_id = %(c)s",
            {"o": organization_id, "c": company},
        )
    company_id: int = row["id"]
    return company_id


def wait_in_journal(client: redis.Redis, organization_id: int, company: str, at: float) -> None:
    """Leave an entry of a company in the journal, accepted at this time."""
    lane = Lane.of_company(organization_id, company).name
    microseconds = round(after(at).timestamp() * 1_000_000)
    client.xadd(JOURNAL.entries + lane, {FORMAT: "{}", "t": microseconds})
    client.zadd(JOURNAL.ready, {lane: microseconds / 1_000})


def judge(company_id: int, at: float) -> list[UUID]:
    """Evaluate a company; return the ids of the deliveries to attempt now."""
    written = evaluate([company_id], RuleBooks(), after(at)).written
    return [request.delivery_id for request in written]
