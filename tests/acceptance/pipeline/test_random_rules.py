"""Random rules and histories over real processes: what is recorded equals a recount.

The recount knows what was accepted and when, and shares nothing with the product but the classes
that describe a rule.
"""

import random
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from rules.book import RuleBook
from rules.facts import Selector
from rules.faults import RuleFileError
from rules.flags import Flag
from rules.phrases.counting import Comparison, Count
from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.tenant import Tenant
from tests.unit.rules.oracle.histories import BOOKS, HISTORIES, MEMORYLESS, book
from tests.unit.rules.oracle.recount import Crossing, Recount, Sent, at, second_of
from tests.unit.rules.oracle.rule_files import written
from tests.unit.rules.oracle.values import instant_of

MICROSECOND = timedelta(microseconds=1)
CLIENTS = 8
REPEATED = 0.2
"""The share of events that are sent a second time."""

LATE_BY = 5.0
"""Seconds that events may be late where the order of arrival is any."""

EVALUATED_WITHIN = 3.0
"""Seconds, with a margin for a busy machine; a change by time is recorded within one."""


@dataclass(frozen=True)
class Scale:
    """How many organizations and companies of each, and how many seconds of their histories."""

    organizations: int
    companies: int
    seconds: int


ALWAYS_AT_FIRST = Count(Comparison.AT_LEAST, 1, timedelta(seconds=2))
"""What holds from the first event of every company on."""

FEW, MANY = Scale(5, 3, 8), Scale(60, 8, 100)


def each_scale(books: Mapping[str, st.SearchStrategy[RuleBook]]) -> pytest.MarkDecorator:
    """Run a test with customers that have some of these books."""
    scales = [
        pytest.param((books, FEW), id="few"),
        pytest.param((books, MANY), id="many", marks=pytest.mark.thorough),
    ]
    return pytest.mark.parametrize("customers", scales, indirect=True)


@dataclass
class Customer:
    """An organization with a random book, and what is sent about its companies."""

    tenant: Tenant
    book: RuleBook
    sent: dict[str, Sequence[Sent]]
    stored: dict[str, list[Sent]] = field(default_factory=dict)

    def recount(self, company: str, until: datetime) -> Recount:
        unit = MICROSECOND
        return Recount(self.book, self.stored[company], second_of(until, unit), unit)


def drawn(books: Mapping[str, st.SearchStrategy[RuleBook]], scale: Scale) -> list[Any]:
    """Draw books that a rule file can contain, each with histories."""
    cases: list[Any] = []

    @seed(random.SystemRandom().randrange(10**9))
    @settings(
        max_examples=4 * scale.organizations,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.sampled_from(sorted(books)).flatmap(lambda kind: books[kind]),
        st.lists(HISTORIES, min_size=scale.companies, max_size=scale.companies),
    )
    def draw(drawn_book: RuleBook, histories: list[list[Sent]]) -> None:
        try:
            text, read = written(drawn_book)
        except RuleFileError:
            return  # such as a number with too many digits
        cases.append((text, read, histories))

    draw()
    certain = written(book(Flag("A", Selector(None), ((1, ALWAYS_AT_FIRST),))))
    return [*random.sample(cases, scale.organizations), (*certain, cases[0][-1])]


@pytest.fixture
def customers(brazebee: Brazebee, request: pytest.FixtureRequest, tmp_path: Path) -> list[Customer]:
    books, scale = request.param
    made = []
    for number, (text, read, histories) in enumerate(drawn(books, scale)):
        name = f"{request.node.name} {number}"
        assert brazebee.run("org", "create", name).returncode == 0
        sent = {
            f"c{company}": [event for event in history if event.second <= scale.seconds]
            for company, history in enumerate(histories)
        }
        made.append(Customer(Tenant(brazebee, name, tmp_path, rules=text), read, sent))
    return made


def dated(sent: Sent, began: datetime) -> Sent:
    """Return an event whose dates are as far from the beginning as they were from second 0."""
    due = instant_of(sent.company.get("due"))
    if due is None:
        return sent
    # In whole seconds: the recount reads dates without fractions.
    moved = (began.replace(microsecond=0) + (due - at(0))).isoformat()
    return replace(sent, company={**sent.company, "due": moved})


def post_all(customers: Sequence[Customer], began: datetime, *, late_by: float) -> None:
    """Post every event at its second, in the order of their instants unless some are late."""
    chance = random.Random()
    due: list[tuple[float, Customer, dict[str, Any]]] = []
    for customer in customers:
        for company, history in customer.sent.items():
            for number, event in enumerate(history):
                instant = event.second + chance.random()
                body = body_of(company, number, dated(event, began))
                if late_by:
                    body["timestamp"] = (began + timedelta(seconds=instant)).isoformat()
                    instant += chance.choice([0, chance.uniform(0, late_by)])
                due.append((instant, customer, body))
                if chance.random() < REPEATED:
                    due.append((instant + chance.uniform(0, 3), customer, body))
    due.sort(key=lambda each: each[0])
    waiting, lock = iter(due), threading.Lock()

    def post() -> None:
        with requests.Session() as session:
            while True:
                with lock:
                    following = next(waiting, None)
                if following is None:
                    return
                instant, customer, body = following
                wait = began.timestamp() + instant - time.time()
                time.sleep(max(0.0, wait))
                answer = session.post(
                    f"{customer.tenant.brazebee.base_url}/v1/track",
                    json=body,
                    headers={"x-api-key": customer.tenant.key},
                    timeout=10,
                )
                assert answer.status_code == 200, answer.text

    with ThreadPoolExecutor(CLIENTS) as clients:
        for posting in [clients.submit(post) for _ in range(CLIENTS)]:
            posting.result()


def body_of(company: str, number: int, sent: Sent) -> dict[str, Any]:
    event = sent.event
    body: dict[str, Any] = {
        "event_id": f"{company}-{number}",
        "event_key": event.event_key,
        "company": {"id": company, "name": company, **sent.company},
    }
    if event.data is not None:
        body["data"] = event.data
    if event.user is not None:
        body["user"] = {"id": event.user}
    return body


def read_stored(customers: Sequence[Customer], began: datetime) -> None:
    """Wait until every event is stored once, and note when each occurred."""
    for customer in customers:
        expected = {
            f"{company}-{number}"
            for company, history in customer.sent.items()
            for number in range(len(history))
        }
        rows = eventually(
            lambda customer=customer, expected=expected: rows_of(customer, expected), seconds=30
        )
        occurred = dict(rows)
        for company, history in customer.sent.items():
            customer.stored[company] = [
                replace(
                    moved := dated(event, began),
                    event=replace(moved.event, occurred_at=occurred[f"{company}-{number}"]),
                )
                for number, event in enumerate(history)
            ]


def rows_of(customer: Customer, expected: set[str]) -> list[tuple[Any, ...]] | None:
    rows = customer.tenant.brazebee.query(
        "select e.event_id, e.occurred_at from events e join organizations o"
        f" on o.id = e.organization_id where o.name = '{customer.tenant.name}'"
    )
    return rows if {event_id for event_id, _ in rows} == expected else None


def recorded(customer: Customer, company: str, until: datetime) -> list[Crossing]:
    """Return the recorded changes of a company in the form of a recount."""
    rows = customer.tenant.brazebee.query(
        "select t.at, t.from_status, t.to_status, t.changes from transitions t"
        " join companies c on c.organization_id = t.organization_id and c.id = t.company_id"
        f" join organizations o on o.id = t.organization_id where o.name ="
        f" '{customer.tenant.name}' and c.external_id = '{company}'"
        f" and t.at <= '{until.isoformat()}' order by t.sequence"
    )
    statuses = customer.book.statuses
    levels = {status: level for level, status in enumerate(statuses)}
    return [
        (
            second_of(instant, MICROSECOND),
            before,
            after,
            {c["flag"]: (levels.get(c["from"]), levels.get(c["to"])) for c in changes},
        )
        for instant, before, after, changes in rows
    ]


@pytest.mark.timeout(300)
@each_scale(BOOKS)
@pytest.mark.long
def test_every_change_is_recorded_at_its_instant(customers: list[Customer]) -> None:
    began = datetime.now(UTC)
    post_all(customers, began, late_by=0)
    read_stored(customers, began)
    until = datetime.now(UTC)
    time.sleep(EVALUATED_WITHIN)
    changes = 0
    for customer in customers:
        for company in customer.sent:
            expected = customer.recount(company, until).crossings()
            assert recorded(customer, company, until) == expected, customer.tenant.name
            changes += len(expected)
    assert changes >= len(customers[-1].sent), "the last book is about every company"


def levels_now(customer: Customer, company: str) -> tuple[datetime, dict[str, Any]]:
    rows = customer.tenant.brazebee.query(
        "select clock_timestamp(), f.flag, f.status from flag_states f"
        " join companies c on c.organization_id = f.organization_id and c.id = f.company_id"
        " join organizations o on o.id = f.organization_id"
        f" where o.name = '{customer.tenant.name}' and c.external_id = '{company}'"
    )
    levels = {status: level for level, status in enumerate(customer.book.statuses)}
    return max(now for now, _, _ in rows), {flag: levels.get(status) for _, flag, status in rows}


def is_right(customer: Customer, company: str) -> bool:
    """Whether the flags are those of a recount at this moment."""
    now, levels = levels_now(customer, company)
    return levels == customer.recount(company, now).levels(second_of(now, MICROSECOND))


@pytest.mark.thorough
@pytest.mark.timeout(300)
@each_scale(MEMORYLESS)
def test_flags_are_right_whatever_the_order_of_arrival(customers: list[Customer]) -> None:
    began = datetime.now(UTC)
    post_all(customers, began, late_by=LATE_BY)
    read_stored(customers, began)
    for customer in customers:
        for company in customer.sent:
            eventually(
                lambda customer=customer, company=company: is_right(customer, company),
                seconds=10,
            )
