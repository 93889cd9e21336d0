"""The account: every accepted event, every transition and every webhook, against a recount."""

import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from faults.customers import Customer, Sent
from faults.product import Product
from faults.recount import Change, Event, recount

CLOCKS_DIFFER = timedelta(milliseconds=5)
"""By which an event may seem to be accepted outside of the time that its client waited."""

DRAIN_SECONDS = 240.0
"""For some 20,000 webhooks of a storm, which its receiver gets two at a time."""

LATE_SECONDS = 3.0
"""For changes by time, and for webhooks that are sent again."""

SHOWN = 5


@dataclass
class Account:
    """What was compared, and the differences: each is a sentence."""

    events: int = 0
    transitions: int = 0
    webhooks: int = 0
    differences: list[str] = field(default_factory=list)


def settle_accounts(
    product: Product, customers: Collection[Customer], received: Collection[str]
) -> Account:
    """Wait until everything is stored, judged and sent, and compare.

    `received` are the message ids that the receiver of webhooks got.
    """
    _wait_until_done(product, customers)
    account = Account()
    for customer in customers:
        _compare_events(product, customer, account)
        _compare_transitions(product, customer, account)
    _compare_webhooks(product, customers, received, account)
    return account


def _wait_until_done(product: Product, customers: Collection[Customer]) -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    accepted = sum(len(customer.accepted) for customer in customers)
    ids = [customer.id for customer in customers]
    while time.monotonic() < deadline:
        [(stored, unsettled, unsent)] = product.query(
            "select (select count(*) from events where organization_id = any(%(ids)s)"
            " and event_key = any(array['report', 'error'])),"
            " (select count(*) from companies where unsettled_since is not null),"
            " (select count(*) from deliveries where state = 'waiting')",
            ids=ids,
        )
        if stored >= accepted and not unsettled and not unsent:
            break
        time.sleep(0.5)
    time.sleep(LATE_SECONDS)


def _compare_events(product: Product, customer: Customer, account: Account) -> None:
    stored = {
        event_id: (company, key, at)
        for event_id, company, key, at in product.query(
            "select e.event_id, c.external_id, e.event_key, e.occurred_at from events e"
            " join companies c on c.organization_id = e.organization_id and c.id = e.company_id"
            " where e.organization_id = %(id)s and e.event_key = any(array['report', 'error'])",
            id=customer.id,
        )
    }
    accepted = {sent.event_id: sent for sent in customer.accepted}
    account.events += len(accepted)
    lost, invented = accepted.keys() - stored.keys(), stored.keys() - accepted.keys()
    wrong = [
        event_id
        for event_id in accepted.keys() & stored.keys()
        if not _is_as_sent(accepted[event_id], *stored[event_id])
    ]
    for what, ids in (("lost", lost), ("invented", invented), ("stored wrong", wrong)):
        if ids:
            shown = ", ".join(sorted(ids)[:SHOWN])
            account.differences.append(f"{customer.name}: {len(ids)} events {what}: {shown}")


def _is_as_sent(sent: Sent, company: str, key: str, at: datetime) -> bool:
    earliest, latest = sent.first_sent_at - CLOCKS_DIFFER, sent.answered_at + CLOCKS_DIFFER
    return (company, key) == (sent.company, sent.event_key) and earliest <= at <= latest


def _compare_transitions(product: Product, customer: Customer, account: Account) -> None:
    [(until,)] = product.query("select now() - interval '2 seconds'")
    events: defaultdict[str, list[Event]] = defaultdict(list)
    for company, at, key in product.query(
        "select c.external_id, e.occurred_at, e.event_key from events e join companies c"
        " on c.organization_id = e.organization_id and c.id = e.company_id"
        " where e.organization_id = %(id)s and e.event_key = any(array['report', 'error'])",
        id=customer.id,
    ):
        events[company].append((at, key))
    recorded: defaultdict[str, list[Change]] = defaultdict(list)
    for company, at, before, after in product.query(
        "select c.external_id, t.at, t.from_status, t.to_status from transitions t"
        " join companies c on c.organization_id = t.organization_id and c.id = t.company_id"
        " where t.organization_id = %(id)s and t.at <= %(until)s order by t.company_id, t.sequence",
        id=customer.id,
        until=until,
    ):
        recorded[company].append((at, before, after))
    for company, of_company in events.items():
        expected = recount(of_company, until=until)
        account.transitions += len(expected)
        if recorded[company] != expected:
            account.differences.append(
                f"{customer.name}: {company}: {_first_difference(recorded[company], expected)}"
            )


def _first_difference(recorded: list[Change], expected: list[Change]) -> str:
    for number in range(max(len(recorded), len(expected))):
        ours = recorded[number] if number < len(recorded) else None
        theirs = expected[number] if number < len(expected) else None
        if ours != theirs:
            return f"change {number + 1} recorded as {_shown(ours)}, recounted {_shown(theirs)}"
    return "no difference"


def _shown(change: Change | None) -> str:
    return "none" if change is None else f"{change[1]} -> {change[2]} at {change[0].isoformat()}"


def _compare_webhooks(
    product: Product, customers: Collection[Customer], received: Collection[str], account: Account
) -> None:
    rows: list[tuple[UUID]] = product.query(
        "select distinct t.id from transitions t join webhook_endpoints e"
        " on e.organization_id = t.organization_id and e.created_at < t.recorded_at"
        " and e.url like '%%/webhooks' where t.organization_id = any(%(ids)s)"
        " and t.recorded_at < now() - interval '2 seconds'",
        ids=[customer.id for customer in customers],
    )
    expected = {f"msg_{transition_id.hex}" for (transition_id,) in rows}
    account.webhooks += len(expected)
    if missing := expected - set(received):
        states = product.query(
            "select case when parked then 'parked' else state end, count(*) from deliveries"
            " where message_id = any(%(ids)s) group by 1 order by 1",
            ids=list(missing),
        )
        found = ", ".join(f"{number} {state}" for state, number in states)
        account.differences.append(f"{len(missing)} webhooks were not delivered: {found}")
